"""How AWS acknowledges, and what that decides: what comes again and why, what raises, which dead letters go out."""

from __future__ import annotations

import gc
import logging
import weakref
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessingError,
    BatchProcessor,
    ConfigurationError,
    DeadLetterRecord,
    DropRecord,
    RecordsSource,
    WholeBatchRetry,
    by_key,
    hookimpl,
    in_order,
)


class Lines:
    """Records that are text: what begins with ``x`` fails. ``a1`` is of partition ``a``."""

    name = "lines"

    def __init__(self, acknowledgement: str) -> None:
        self._acknowledgement = acknowledgement

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, list)

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return event

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return [{"line": record} for record in records]

    @hookimpl
    def acknowledgement(self) -> str:
        return self._acknowledgement

    @hookimpl
    def checkpoint_of(self, record: str) -> str:
        return record.strip("x!-")[0]


class Letters:
    """Delivers dead letters, and notes them."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    @hookimpl
    def deliver_dead_letter(self, outcome: Any) -> None:
        self.sent.append(outcome.record)


class Watch:
    """Notes whom it is told of."""

    def __init__(self) -> None:
        self.results: list[tuple[str, Any, int]] = []

    @hookimpl
    def batch_finished(self, result: Any) -> None:
        self.results.append(("finished", result.response, len(result.delivered_again)))

    @hookimpl
    def after_batch(self, result: Any) -> None:
        self.results.append(("after", result.response, len(result.delivered_again)))


def handler(line: str) -> str:
    if line.startswith("x"):
        raise ValueError(line)
    if line.startswith("!"):
        raise DeadLetterRecord
    if line.startswith("-"):
        raise DropRecord
    return line


async def async_handler(line: str) -> str:
    return handler(line)


def result_of(acknowledgement: str, *lines: str, **options: Any) -> Any:
    """Run a batch; of one that raises, give the result that the error has."""
    processor = BatchProcessor(Lines(acknowledgement), raise_on_entire_batch_failure=False, **options)
    try:
        return processor.run([*lines], handler)
    except WholeBatchRetry as error:
        return error.result


def again(acknowledgement: str, *lines: str, **options: Any) -> list[str]:
    return [outcome.record for outcome in result_of(acknowledgement, *lines, **options).delivered_again]


EVERYTHING = ("a1", "xa2", "b1", "a3", "b2", "xb3", "b4")


@pytest.mark.parametrize(
    ("acknowledgement", "lines"),
    [
        ("record", ["xa2", "xb3"]),
        ("checkpoint", ["xa2", "a3", "xb3", "b4"]),
        ("batch", [*EVERYTHING]),
        ("result", ["xa2", "xb3"]),
        ("final", []),
    ],
)
def test_what_comes_again_depends_on_how_aws_acknowledges(acknowledgement: str, lines: list[str]) -> None:
    assert again(acknowledgement, *EVERYTHING) == lines
    assert again(acknowledgement, "a1", "b1", "-b2") == []


def test_each_is_explained() -> None:
    def said(acknowledgement: str, *lines: str) -> list[str]:
        return [str(each).partition("}: ")[2] for each in result_of(acknowledgement, *lines).explain()]

    before = "{'line': 'xa2'} before it is not done, and everything from there on comes again"
    assert said("checkpoint", "a1", "xa2", "b1", "a3") == [
        "done; the handler returned",
        "delivered again; failed: ValueError: xa2",
        "done; the handler returned",
        f"delivered again; the handler returned; {before}",
    ]
    whole = "not all of the batch is done, and AWS takes no partial response: all of it comes again"
    assert said("batch", "a1", "xa2") == [
        f"delivered again; the handler returned; {whole}",
        "delivered again; failed: ValueError: xa2",
    ]
    assert said("final", "a1", "xa2") == ["done; the handler returned", "not delivered again; failed: ValueError: xa2"]


def test_a_batch_that_shares_a_checkpoint_comes_again_from_where_an_identifier_of_it_was_first() -> None:
    assert again("checkpoint", "a1", "b1", "xa2", "b2", "xa2") == ["xa2", "xa2"]


# -- A source without partial responses.


@pytest.mark.parametrize("way", ["run", "arun", "threads", "with"])
@pytest.mark.parametrize("raises", [True, False])
def test_a_record_that_is_not_done_raises_for_the_batch_after_all_had_their_turn(way: str, raises: bool) -> None:
    handled: list[str] = []
    watch = Watch()
    options: Any = {"plugins": [watch], "raise_on_entire_batch_failure": raises}

    def noted(line: str) -> str:
        handled.append(line)
        return handler(line)

    async def noted_async(line: str) -> str:
        return noted(line)

    def use() -> None:
        event = ["a1", "xa2", "a3"]
        if way == "arun":
            AsyncBatchProcessor(Lines("batch"), **options).run(event, noted_async)
        elif way == "with":
            processor = BatchProcessor(Lines("batch"), **options)
            with processor(event, noted):
                processor.process()
        else:
            concurrency = 3 if way == "threads" else None
            BatchProcessor(Lines("batch"), max_concurrency=concurrency, **options).run(event, noted)

    with pytest.raises(WholeBatchRetry, match=r"^1 of 3 records of lines are not done") as caught:
        use()

    assert sorted(handled) == ["a1", "a3", "xa2"]
    assert isinstance(caught.value.__cause__, ValueError)
    assert caught.value.result.counts() == {"succeeded": 2, "failed": 1}
    assert caught.value.result.response is None
    assert watch.results == [("finished", None, 3), ("after", None, 3)]


def test_it_is_logged_as_any_batch_is(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "batchcore"), pytest.raises(WholeBatchRetry):
        BatchProcessor(Lines("batch")).run(["a1", "xa2"], handler)

    assert "Batch of 2 from lines: 1 succeeded, 1 failed" in caplog.text


def test_its_error_keeps_what_failed_and_lets_go_of_it() -> None:
    class Big:
        pass

    alive: list[Any] = []

    def fails(line: str) -> None:
        big = Big()
        alive.append(weakref.ref(big))
        raise ValueError(line)

    quiet = logging.getLogger("quiet")  # what is logged keeps its exception
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    kept: list[list[bool]] = []

    def run() -> Any:
        try:
            BatchProcessor(Lines("batch"), logger=quiet).run(["a1", "a2"], fails)
        except WholeBatchRetry as error:
            kept.append([each() is not None for each in alive])
            return error.result
        raise AssertionError

    gc.disable()
    try:
        result = run()
        assert kept == [[True, True]]
        assert [each() for each in alive] == [None, None]
    finally:
        gc.enable()
    assert result.counts() == {"failed": 2}


def test_the_first_that_failed_is_the_cause_and_not_one_that_was_not_tried() -> None:
    processor = BatchProcessor(Lines("batch"), ordering=by_key(lambda line: line.strip("x")[0]))

    with pytest.raises(WholeBatchRetry, match=r"^2 of 3") as caught:
        processor.run(["xb1", "b2", "a1"], handler)

    assert str(caught.value.__cause__) == "xb1"


def test_a_declared_source_can_say_so_too() -> None:
    class Declared(RecordsSource[Any]):
        name = "declared"
        service = "acme:lines"
        identifier = ("id",)

        @hookimpl
        def acknowledgement(self) -> Any:
            return "batch"

    event = {"Records": [{"eventSource": "acme:lines", "id": "1"}, {"eventSource": "acme:lines", "id": "2"}]}

    def fails_once(record: Any) -> None:
        if record["id"] == "2":
            raise ValueError

    with pytest.raises(WholeBatchRetry):
        BatchProcessor(Declared()).run(event, fails_once)
    assert BatchProcessor(Declared()).run(event, id).response == {"batchItemFailures": []}


@pytest.mark.parametrize("hook", ["build_response", "identify_records"])
def test_a_wrapper_changes_nothing_of_that(hook: str) -> None:
    def wrapper(self: Any) -> Any:
        return (yield)

    wraps = type("Wraps", (), {hook: hookimpl(wrapper=True)(wrapper)})()

    with pytest.raises(WholeBatchRetry):
        BatchProcessor(Lines("batch"), plugins=[wraps]).run(["a1", "xa2"], handler)


def test_response_raises_for_whoever_asks_for_it_again() -> None:
    processor = BatchProcessor(Lines("batch"), raise_on_entire_batch_failure=False)
    with pytest.raises(WholeBatchRetry), processor(["a1", "xa2"], handler):
        processor.process()

    with pytest.raises(WholeBatchRetry):
        processor.response()


def test_another_error_on_its_way_is_not_replaced() -> None:
    processor = BatchProcessor(Lines("batch"))
    with pytest.raises(KeyError), processor(["xa1"], handler):
        processor.process()
        raise KeyError


# -- A result for each record: an error of the function is final.


@pytest.mark.parametrize("raises", [True, False])
def test_a_batch_of_results_of_which_nothing_is_done_does_not_raise(raises: bool) -> None:
    result = BatchProcessor(Lines("result"), raise_on_entire_batch_failure=raises).run(["xa1"], handler)

    assert result.response == {"batchItemFailures": [{"itemIdentifier": {"line": "xa1"}}]}


@pytest.mark.parametrize("acknowledgement", ["record", "checkpoint", "final"])
def test_any_other_batch_of_which_nothing_is_done_raises(acknowledgement: str) -> None:
    with pytest.raises(BatchProcessingError):
        BatchProcessor(Lines(acknowledgement)).run(["xa1"], handler)


# -- Dead letters: one that comes again would be delivered each time.


@pytest.mark.parametrize(
    ("acknowledgement", "sent"),
    [
        ("record", ["!a1", "!a3", "!b1"]),
        ("checkpoint", ["!a1", "!b1"]),
        ("batch", []),
        ("result", ["!a1", "!a3", "!b1"]),
        ("final", ["!a1", "!a3", "!b1"]),
    ],
)
@pytest.mark.parametrize("lanes", [False, True])
def test_a_dead_letter_that_comes_again_is_not_delivered(acknowledgement: str, sent: list[str], lanes: bool) -> None:
    letters = Letters()
    options = {"ordering": in_order(on_failure="continue")} if lanes else {}

    result = result_of(acknowledgement, "!a1", "xa2", "!a3", "!b1", plugins=[letters], **options)

    assert letters.sent == sent
    assert result.counts().get("dead_lettered", 0) == len(sent)


@pytest.mark.parametrize("ordering", [in_order(), in_order(on_failure="continue"), None])
def test_a_whole_batch_whose_only_failures_are_dead_letters_is_done(ordering: Any) -> None:
    letters = Letters()

    result = result_of("batch", "a1", "!a2", "a3", "!a4", "-a5", plugins=[letters], ordering=ordering)

    assert letters.sent == ["!a2", "!a4"]
    assert result.response == {"batchItemFailures": []}
    assert result.counts() == {"succeeded": 2, "dead_lettered": 2, "dropped": 1}


def test_a_dead_letter_of_a_lane_that_stops_is_delivered_before_the_next_and_not_after_a_failure() -> None:
    letters = Letters()

    by_partition = by_key(lambda line: line.strip("x!")[0])
    result = result_of("batch", "!a1", "a2", "xb1", "!c1", "c2", plugins=[letters], ordering=by_partition)

    assert letters.sent == ["!a1"]
    statuses = [outcome.status for outcome in result.outcomes]
    assert statuses == ["dead_lettered", "succeeded", "failed", "failed", "not_attempted"]


def test_a_dead_letter_that_was_not_delivered_keeps_those_behind_it_in_its_partition() -> None:
    class Fails(Letters):
        @hookimpl
        def deliver_dead_letter(self, outcome: Any) -> None:
            if outcome.record == "!a1":
                raise OSError
            self.sent.append(outcome.record)

    letters = Fails()

    result_of("checkpoint", "!a1", "!a2", "!b1", plugins=[letters])

    assert letters.sent == ["!b1"]


@pytest.mark.parametrize("acknowledgement", ["record", "result"])
def test_a_dead_letter_whose_identifier_comes_again_is_not_delivered(acknowledgement: str) -> None:
    class SameNames(Lines):
        @hookimpl
        def identify_records(self, records: Any) -> Any:
            return [record[-1] for record in records]

    letters = Letters()
    processor = BatchProcessor(SameNames(acknowledgement), raise_on_entire_batch_failure=False, plugins=[letters])

    processor.run(["!a1", "xa1", "!a2"], handler)

    assert letters.sent == ["!a2"]


def test_a_dead_letter_that_was_not_delivered_keeps_another_of_its_identifier() -> None:
    class SameNames(Lines):
        @hookimpl
        def identify_records(self, records: Any) -> Any:
            return [record[-1] for record in records]

    class Fails(Letters):
        @hookimpl
        def deliver_dead_letter(self, outcome: Any) -> None:
            if outcome.position == 0:
                raise OSError
            self.sent.append(outcome.record)

    letters = Fails()
    processor = BatchProcessor(SameNames("record"), raise_on_entire_batch_failure=False, plugins=[letters])

    processor.run(["!a1", "!b2", "!c1"], handler)

    assert letters.sent == ["!b2"]


def test_no_identifier_is_looked_at_for_each_dead_letter_that_was_not_delivered() -> None:
    looked_at: list[str] = []

    class Name(str):
        __slots__ = ()

        def __hash__(self) -> int:
            looked_at.append(self)
            return super().__hash__()

    class Counted(Lines):
        @hookimpl
        def identify_records(self, records: Any) -> Any:
            return [Name(record) for record in records]

    class Fails:
        @hookimpl
        def deliver_dead_letters(self, outcomes: Any) -> Any:
            return [OSError() for _ in outcomes]

    def looks(count: int) -> int:
        looked_at.clear()
        processor = BatchProcessor(Counted("record"), raise_on_entire_batch_failure=False, plugins=[Fails()])
        processor.run([f"!a{number}" for number in range(count)], handler)
        return len(looked_at)

    assert 0 < looks(200) < 3 * looks(100)  # four times as often, if all were looked at for each


# -- What a source fails when it builds the response.


class Short(Lines):
    """Has room for one character of what a handler returned."""

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any, fail: Any) -> Any:
        for outcome in outcomes:
            if outcome.status == "succeeded" and len(outcome.value) > 1:
                fail(outcome, ValueError("too long"))
        return {"done": [outcome.record for outcome in outcomes if outcome.done]}


class Told:
    """Notes each outcome that it is told of."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[str, str]] = []

    @hookimpl
    def record_finished(self, outcome: Any) -> None:
        self.outcomes.append((outcome.record, outcome.status))


@pytest.mark.parametrize("kind", [BatchProcessor, AsyncBatchProcessor])
def test_a_record_that_its_source_fails_late_has_failed(kind: Any, caplog: pytest.LogCaptureFixture) -> None:
    told = Told()
    processor = kind(Short("final"), plugins=[told])

    result = processor.run(["a", "bb"], handler)

    assert result.response == {"done": ["a"]}
    assert [outcome.status for outcome in result.outcomes] == ["succeeded", "failed"]
    assert [outcome.record for outcome in result.failures] == ["bb"]
    assert processor.success_messages == ["a"]
    assert processor.fail_messages == ["bb"]
    assert told.outcomes == [("a", "succeeded"), ("bb", "succeeded"), ("bb", "failed")]
    assert "too long" in caplog.text


def test_a_batch_of_which_all_fail_late_raises() -> None:
    with pytest.raises(BatchProcessingError, match="too long"):
        BatchProcessor(Short("final")).run(["aa"], handler)


@pytest.mark.parametrize("which", [7, -1, "bb", None, 1])
def test_only_a_record_that_succeeded_can_be_failed_late(which: Any) -> None:
    class Wrong(Lines):
        @hookimpl
        def build_response(self, batch: Any, outcomes: Any, fail: Any) -> Any:
            fail(which, ValueError())

    with pytest.raises(ConfigurationError, match=r"fail\(\) takes a record that succeeded, not "):
        BatchProcessor(Wrong("final")).run(["a1", "xa2"], handler)
