"""Each hook of a source: what it does, what stands in for it, and that its form changes nothing."""

from __future__ import annotations

import functools
import logging
import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessingError,
    BatchProcessor,
    Disposition,
    Ordering,
    PluginError,
    RecordIdentityError,
    RecordsSource,
    UnexpectedBatchTypeError,
    WholeBatchRetry,
    by_key,
    hookimpl,
    in_order,
    unordered,
)
from batchcore._plugins.loading import Plugins
from batchcore.source import SOURCE_HOOKS

from .support import (
    FullSource,
    OnlyWatches,
    PassesEverythingOn,
    Run,
    ShorterSource,
    ToySource,
    decorated_source,
    failed,
    methods_of_other_kinds_source,
    module_source,
    play,
    renamed_source,
    run,
    run_async,
    source_with,
    statuses,
    toys,
)

EVENT = toys("car", "bad doll", "ball")
FORMS: list[Callable[[], Any]] = [
    FullSource,
    ShorterSource,
    renamed_source,
    decorated_source,
    methods_of_other_kinds_source,
    module_source,
]


def everything(run: Run, source: Any, event: Any, caplog: pytest.LogCaptureFixture, **options: Any) -> dict[str, Any]:
    """Process an event and give all that can be seen of it."""
    handled: list[Any] = []

    def handler(toy: Any, owner: str = "nobody") -> Any:
        handled.append((toy, owner))
        return play(toy)

    caplog.clear()
    with caplog.at_level(logging.WARNING, "batchcore"):
        result = run(source, event, handler, **options)
    return {
        "response": result.response,
        "handled": sorted(handled, key=lambda seen: str(seen[0]["id"])),  # threads have no order
        "outcomes": [(o.identifier, o.status, o.value, repr(o.exception), o.record) for o in result.outcomes],
        "batch": (result.batch.source, result.batch.event, result.batch.records, result.batch.identifiers),
        "messages": [(m.body, m.attributes, m.group) for m in map(result.batch.original_message, result.batch.records)],
        "logged": [
            (r.getMessage(), vars(r)["delivery_attempt"], vars(r)["record_description"]) for r in caplog.records
        ],
    }


# -- The form of a source changes nothing, and neither do plugins that change nothing.


def test_a_source_with_every_hook_uses_all_of_them(caplog: pytest.LogCaptureFixture) -> None:
    seen = everything(run, FullSource(), EVENT, caplog)

    assert seen["response"] == {"again": ["bad doll", "ball"], "of": 3}
    assert seen["handled"] == [
        ({"id": "bad doll", "prepared for": "toy", "decoded in a batch of": 3}, "owner of bad doll of toy"),
        ({"id": "car", "prepared for": "toy", "decoded in a batch of": 3}, "owner of car of toy"),
    ]
    assert seen["messages"][0] == ("a toy: car", {}, "toys")
    assert [status for _, status, *_ in seen["outcomes"]] == ["succeeded", "failed", "not_attempted"]
    ((_, attempt, description),) = seen["logged"]
    assert (attempt, description) == (3, {"shelf": "shelf of bad doll"})


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize(
    "plugins",
    [[], [OnlyWatches()], [PassesEverythingOn()], [PassesEverythingOn(), OnlyWatches(), PassesEverythingOn()]],
)
def test_a_source_gives_the_same_in_every_form_and_beside_harmless_plugins(
    form: Callable[[], Any], plugins: list[object], driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    expected = everything(driver, FullSource(), EVENT, caplog)

    assert everything(driver, form(), EVENT, caplog, plugins=plugins) == expected


@pytest.mark.parametrize("plugins", [[OnlyWatches()], [PassesEverythingOn()]], ids=["observer", "wrapper"])
@pytest.mark.parametrize("event", [EVENT, toys(), toys("car"), toys("bad"), toys("car", "car")], ids=str)
def test_the_smallest_source_gives_the_same_beside_harmless_plugins(
    plugins: list[object], event: Any, driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    expected = everything(driver, ToySource(), event, caplog)

    assert everything(driver, ToySource(), event, caplog, plugins=plugins) == expected


@pytest.mark.parametrize(
    ("name", "event_name"),
    [
        ("sqs", "sqsEvent"),
        ("sqs", "snsSqsFifoEvent"),
        ("kinesis", "kinesisStreamEvent"),
        ("dynamodb", "dynamoStreamEvent"),
    ],
)
def test_a_real_source_gives_the_same_beside_harmless_plugins(
    name: str, event_name: str, sample: Any, driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    def first_fails(record: Any) -> None:
        if record == sample(event_name)["Records"][0]:
            raise ValueError

    alone = driver(name, sample(event_name), first_fails)
    wrapped = driver(name, sample(event_name), first_fails, plugins=[PassesEverythingOn()])

    assert wrapped.response == alone.response
    assert failed(alone) != []
    assert statuses(wrapped) == statuses(alone)
    assert list(wrapped.batch.records) == list(alone.batch.records)


@pytest.mark.parametrize("plugins", [[], [PassesEverythingOn()]], ids=["alone", "wrapped"])
@pytest.mark.parametrize(
    ("hook", "error"),
    [
        ("claims_event", UnexpectedBatchTypeError),
        ("extract_records", LookupError),
        ("identify_records", RecordIdentityError),
        ("record_preparer", LookupError),
        ("record_decoder", LookupError),
        ("ordering_policy", LookupError),
        ("handler_arguments", LookupError),
        ("build_response", LookupError),
        ("acknowledgement", LookupError),
    ],
)
def test_a_hook_of_a_batch_that_raises_is_the_same_error_beside_a_harmless_plugin(
    plugins: list[object], hook: str, error: type[Exception]
) -> None:
    def fails() -> Any:
        raise LookupError("no shelf")

    handled: list[Any] = []
    source = source_with(**{hook: fails})

    def asks(toy: Any, owner: Any = None) -> None:
        handled.append(toy)

    with pytest.raises(error) as caught:
        run(source, EVENT, asks, plugins=plugins)

    assert "no shelf" in str(caught.value) or "no shelf" in str(caught.value.__cause__)
    assert handled == [] or hook == "build_response"


# -- How often the hooks are asked for and called.

ONCE_PER_BATCH = SOURCE_HOOKS - {"checkpoint_of", "delivery_attempt", "describe_record", "original_message"}
"""The others are of one record: two for its log line when it failed, one for a dead letter."""


def asks_for_owner(toy: Any, owner: str) -> str:
    return f"{play(toy)} of {owner}"


class CountsAccess(FullSource):
    """A source that counts how often somebody looks up one of its hooks."""

    looked_up = 0

    def __getattribute__(self, name: str) -> Any:
        if name in SOURCE_HOOKS:
            type(self).looked_up += 1
        return super().__getattribute__(name)


@pytest.mark.parametrize("plugins", [[], [PassesEverythingOn()]], ids=["alone", "wrapped"])
def test_a_processor_resolves_the_hooks_once(plugins: list[object]) -> None:
    class Counted(CountsAccess):
        pass

    processor = BatchProcessor(Counted(), plugins=plugins)
    resolved = Counted.looked_up

    for _ in range(3):
        processor.run(EVENT, play)

    assert Counted.looked_up == resolved > 0


@pytest.mark.parametrize("plugins", [[], [PassesEverythingOn()]], ids=["alone", "wrapped"])
def test_a_hook_is_called_once_per_batch(plugins: list[object], driver: Run) -> None:
    calls: list[str] = []

    def counting(hook: str) -> Any:
        original = getattr(FullSource(), hook)

        def call(*arguments: Any) -> Any:
            calls.append(hook)
            return original(*arguments)

        return call

    source = source_with(FullSource, **{hook: counting(hook) for hook in SOURCE_HOOKS})

    driver(source, toys(*(f"toy {n}" for n in range(50))), asks_for_owner, plugins=plugins)

    assert sorted(calls) == sorted(ONCE_PER_BATCH)


def test_a_wrapper_is_entered_once_per_batch(driver: Run) -> None:
    wraps = PassesEverythingOn()

    driver(FullSource(), toys(*(f"toy {n}" for n in range(50))), asks_for_owner, plugins=[wraps])

    assert sorted(wraps.called) == sorted(ONCE_PER_BATCH)


# -- Hook by hook.


def test_claims_event_decides_whether_a_batch_is_begun(driver: Run) -> None:
    handled: list[Any] = []

    with pytest.raises(UnexpectedBatchTypeError, match="'toy' does not claim this event, a dict with boxes") as caught:
        driver(ToySource(), {"boxes": []}, handled.append)

    assert handled == []
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("returned", [None, 0, "", []])
def test_claims_event_may_say_no_with_anything_false(returned: object) -> None:
    with pytest.raises(UnexpectedBatchTypeError):
        run(source_with(claims_event=lambda event: returned), EVENT)


@pytest.mark.parametrize("error", [ValueError, SystemExit])
def test_claims_event_is_refused_for_an_event_that_cannot_be_printed(error: type[BaseException]) -> None:
    class Key(str):
        __slots__ = ()

        def __str__(self) -> str:
            raise error

    with pytest.raises(UnexpectedBatchTypeError, match=rf"with <str\(\) of it raised {error.__name__}>"):
        run(ToySource(), {Key("boxes"): []})


def test_claims_event_lets_a_keyboard_interrupt_through() -> None:
    class Key(str):
        __slots__ = ()

        def __str__(self) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(ToySource(), {Key("boxes"): []})


def test_extract_records_gives_the_records(driver: Run) -> None:
    source = source_with(extract_records=lambda event: [toy for toy in event["toys"] if toy["id"] != "ball"])

    result = driver(source, EVENT)

    assert [outcome.identifier for outcome in result.outcomes] == ["car", "bad doll"]


@pytest.mark.parametrize("records", [None, 7, "car", b"car", {"id": "car"}, {"car"}, iter(())])
def test_extract_records_gives_a_sequence_or_the_batch_is_refused(records: object) -> None:
    with pytest.raises(UnexpectedBatchTypeError, match=f"A batch is a list of records, not {type(records).__name__}"):
        run(source_with(extract_records=lambda event: records), EVENT)


def test_extract_records_may_give_a_tuple(driver: Run) -> None:
    result = driver(source_with(extract_records=lambda event: tuple(event["toys"])), EVENT)

    assert failed(result) == ["bad doll"]


@pytest.mark.parametrize("identifier", ["text", {"shelf": 1, "row": 2}, None])
def test_identify_records_gives_what_the_response_names_a_record_by(identifier: object, driver: Run) -> None:
    result = driver(source_with(identify_records=lambda records: [identifier for _ in records]), toys("car", "bad"))

    assert failed(result) == [identifier]


def test_identify_records_reads_the_raw_records(driver: Run) -> None:
    seen: list[Any] = []

    def identify(records: Any) -> list[str]:
        seen.extend(records)
        return [record["id"] for record in records]

    prepared = source_with(FullSource, identify_records=identify)

    driver(prepared, EVENT)

    assert seen == EVENT["toys"]


@pytest.mark.parametrize("given", [["one"], ["one", "two", "three", "four"], []])
def test_identify_records_gives_one_each_or_it_is_an_error_before_the_first_record(given: list[str]) -> None:
    handled: list[Any] = []

    with pytest.raises(PluginError, match=rf"gave {len(given)} identifiers for 3 records") as caught:
        run(source_with(identify_records=lambda records: given), EVENT, handled.append)

    assert caught.value.hook == "identify_records"
    assert handled == []


def test_identify_records_that_forgets_its_result_is_an_error_before_the_first_record() -> None:
    handled: list[Any] = []
    source = source_with(identify_records=lambda records: None)

    with pytest.raises(PluginError, match="identify_records") as caught:
        run(source, EVENT, handled.append)

    assert caught.value.hook == "identify_records"
    assert caught.value.plugin is source
    assert handled == []


def test_identify_records_names_the_record_that_has_no_identity() -> None:
    def identify(records: Any) -> list[str]:
        raise RecordIdentityError("The second has no name.", position=1)

    with pytest.raises(RecordIdentityError, match="The second has no name") as caught:
        run(source_with(identify_records=identify), EVENT)

    assert caught.value.position == 1


def test_identify_records_is_not_reached_by_what_is_no_record_of_the_source() -> None:
    with pytest.raises(RecordIdentityError, match="'toy' cannot identify the records: TypeError") as caught:
        run(ToySource(), {"toys": ["a text"]})

    assert isinstance(caught.value.__cause__, TypeError)


def test_record_preparer_runs_before_the_decoder(driver: Run) -> None:
    order: list[str] = []

    def step(name: str) -> Any:
        return lambda batch: lambda record: order.append(name) or record

    driver(source_with(record_preparer=step("prepare"), record_decoder=step("decode")), toys("car"))

    assert order == ["prepare", "decode"]


def test_record_preparer_that_fails_costs_one_record(driver: Run) -> None:
    def prepare(record: Any) -> Any:
        if record["id"] == "car":
            raise LookupError("no key")
        return record

    result = driver(source_with(record_preparer=lambda batch: prepare), toys("car", "ball"))

    assert failed(result) == ["car"]
    assert isinstance(result.outcomes[0].exception, LookupError)


def test_record_preparer_may_give_a_coroutine_function_under_asyncio() -> None:
    async def prepare(record: Any) -> Any:
        return {**record, "fetched": True}

    handled: list[Any] = []

    run_async(source_with(record_preparer=lambda batch: prepare), toys("car"), handled.append)

    assert handled == [{"id": "car", "fetched": True}]


def test_record_preparer_that_must_be_awaited_fails_the_records_of_a_synchronous_batch() -> None:
    async def prepare(record: Any) -> Any:
        return record

    handled: list[Any] = []

    result = run(source_with(record_preparer=lambda batch: prepare), toys("car", "ball"), handled.append)

    assert failed(result) == ["car", "ball"]
    assert handled == []
    assert "AsyncBatchProcessor" in str(result.outcomes[0].exception)


@pytest.mark.parametrize("hook", ["record_preparer", "record_decoder", "ordering_policy"])
@pytest.mark.parametrize("returned", [None, "a text"])
def test_a_hook_that_gives_the_wrong_thing_is_an_error_before_the_first_record(hook: str, returned: Any) -> None:
    handled: list[Any] = []
    source = source_with(**{hook: lambda batch: returned})

    with pytest.raises(PluginError, match=rf"{hook}\(\) of source 'toy' gives an? .*, not {returned!r}") as caught:
        run(source, EVENT, handled.append)

    assert caught.value.hook == hook
    assert caught.value.plugin is source
    assert handled == []


def test_record_decoder_makes_what_the_handler_gets(driver: Run) -> None:
    handled: list[Any] = []

    driver(source_with(record_decoder=lambda batch: lambda record: record["id"].upper()), toys("car"), handled.append)

    assert handled == ["CAR"]


def test_record_decoder_that_fails_costs_one_record(driver: Run) -> None:
    result = driver(source_with(record_decoder=lambda batch: lambda record: 1 / record["n"]), toys("car", "bus", n=0))
    mixed = {"toys": [{"id": "car", "n": 0}, {"id": "bus", "n": 1}]}
    one = driver(source_with(record_decoder=lambda batch: lambda record: 1 / record["n"]), mixed, float)

    assert failed(result) == ["car", "bus"]
    assert failed(one) == ["car"]


def test_ordering_policy_is_the_sources_unless_the_caller_chose_one(driver: Run) -> None:
    source = source_with(ordering_policy=lambda batch: in_order())
    event = toys("bad car", "ball")

    assert statuses(driver(source, event)) == ["failed", "not_attempted"]
    assert statuses(driver(source, event, ordering=unordered)) == ["failed", "succeeded"]
    assert statuses(driver(source, event, ordering=by_key(lambda record: record["id"]))) == ["failed", "succeeded"]


def test_ordering_policy_by_default_lets_no_failure_touch_another_record(driver: Run) -> None:
    assert statuses(driver(ToySource(), toys("bad car", "ball"))) == ["failed", "succeeded"]


@pytest.mark.parametrize("returned", ["record", "checkpoint", "batch", "result", "final"])
@pytest.mark.parametrize("plugins", [[], [PassesEverythingOn()]], ids=["alone", "wrapped"])
def test_acknowledgement_is_what_a_source_says(returned: str, plugins: list[object]) -> None:
    source = Plugins(plugins).resolve(source_with(acknowledgement=lambda: returned), "toy")

    assert source.acknowledgement == returned
    assert repr(source) == "<Source toy>"


def test_acknowledgement_is_by_default_of_each_record() -> None:
    assert Plugins([]).resolve(ToySource(), "toy").acknowledgement == "record"


@pytest.mark.parametrize("returned", [None, "shard", True])
def test_acknowledgement_of_another_kind_is_an_error_at_construction(returned: object) -> None:
    source = source_with(acknowledgement=lambda: returned)

    with pytest.raises(PluginError, match=rf"batch, result, final; not {returned!r}") as caught:
        BatchProcessor(source)

    assert caught.value.hook == "acknowledgement"
    assert caught.value.plugin is source


def test_delivery_attempt_is_in_the_log_of_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    run(source_with(delivery_attempt=lambda record: record["tried"]), toys("bad", tried=4))

    assert vars(caplog.records[0])["delivery_attempt"] == 4
    assert "(delivery 4)" in caplog.text


def test_delivery_attempt_may_not_be_known(caplog: pytest.LogCaptureFixture) -> None:
    run(ToySource(), toys("bad"))

    assert vars(caplog.records[0])["delivery_attempt"] is None


def test_describe_record_is_in_the_log_of_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    run(source_with(describe_record=lambda record: {"shelf": record["shelf"]}), toys("bad", shelf="top"))

    assert vars(caplog.records[0])["record_description"] == {"shelf": "top"}


def test_describe_record_may_say_nothing(caplog: pytest.LogCaptureFixture) -> None:
    run(ToySource(), toys("bad"))

    assert vars(caplog.records[0])["record_description"] == {}


@pytest.mark.parametrize("hook", ["delivery_attempt", "describe_record"])
@pytest.mark.parametrize("plugins", [[], [PassesEverythingOn()]], ids=["alone", "wrapped"])
def test_a_hook_for_the_log_that_raises_changes_no_outcome(
    hook: str, plugins: list[object], driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(record: Any) -> Any:
        raise LookupError

    result = driver(source_with(**{hook: fails}), toys("bad", "car"), plugins=plugins)

    assert failed(result) == ["bad"]
    assert "it is broken" in caplog.text


def test_build_response_gives_the_response(driver: Run) -> None:
    source = source_with(build_response=lambda batch, outcomes: [batch.source, *(o.status for o in outcomes)])

    assert driver(source, EVENT).response == ["toy", "succeeded", "failed", "succeeded"]


def test_build_response_by_default_names_what_is_not_done_in_the_order_of_the_batch(driver: Run) -> None:
    result = driver(ToySource(), toys("bad 1", "car", "bad 2", "bad 3"))

    assert result.response == {"batchItemFailures": [{"itemIdentifier": f"bad {n}"} for n in (1, 2, 3)]}


def test_build_response_sees_the_event_the_context_and_the_records() -> None:
    seen: list[Any] = []
    context = object()

    def build(batch: Any, outcomes: Any) -> Any:
        seen.append((batch.event, batch.context, batch.records, batch.identifiers, len(outcomes)))
        return {}

    source = source_with(build_response=build)
    BatchProcessor(source).run(EVENT, len, context)
    with BatchProcessor(source)(records=EVENT["toys"], handler=len) as processor:
        processor.process()

    identifiers = ["car", "bad doll", "ball"]
    assert seen == [(EVENT, context, EVENT["toys"], identifiers, 3), (None, None, EVENT["toys"], identifiers, 3)]


def test_build_response_that_forgets_its_response_is_an_error_for_none_would_hide_failures(driver: Run) -> None:
    source = source_with(build_response=lambda batch, outcomes: None)

    with pytest.raises(PluginError, match=r"build_response\(\)") as caught:
        driver(source, EVENT)

    assert caught.value.hook == "build_response"


@pytest.mark.parametrize("processor", [BatchProcessor, AsyncBatchProcessor])
def test_build_response_may_ask_for_the_whole_batch_whatever_the_options(processor: type[BatchProcessor]) -> None:
    def build(batch: Any, outcomes: Any) -> Any:
        raise WholeBatchRetry("one of them failed")

    with pytest.raises(WholeBatchRetry, match="one of them failed"):
        processor(source_with(build_response=build), raise_on_entire_batch_failure=False).run(EVENT, play)


def test_a_batch_that_fails_entirely_raises_beside_a_harmless_plugin_too() -> None:
    with pytest.raises(BatchProcessingError) as caught:
        BatchProcessor(ToySource(), plugins=[PassesEverythingOn()]).run(toys("bad"), play)

    assert caught.value.result is not None
    assert caught.value.result.response == {"batchItemFailures": [{"itemIdentifier": "bad"}]}


def test_the_hooks_of_a_base_class_count() -> None:
    class Special(ToySource):
        @hookimpl
        def delivery_attempt(self, record: Any) -> int:
            return 1

    assert failed(run(Special(), EVENT)) == ["bad doll"]


class Letters(RecordsSource):
    """A source that says all of itself in attributes, so that a batch is read in one pass."""

    name = "letters"
    service = "post:letters"
    identifier = ("id",)


class OtherLetters:
    """What a subclass, or a wrapper, makes of a hook."""

    claims_event = staticmethod(lambda claimed: False)
    extract_records = staticmethod(lambda records: records[1:])
    identify_records = staticmethod(lambda identifiers: [f"no. {identifier}" for identifier in identifiers])
    record_decoder = staticmethod(lambda view: operator.itemgetter("id"))
    ordering_policy = staticmethod(lambda ordering: in_order())
    build_response = staticmethod(lambda response: {**response, "of": "letters"})


def overriding(hook: str) -> BatchProcessor:
    def override(self: Any, *argument: Any) -> Any:
        return getattr(OtherLetters, hook)(getattr(Letters, hook)(self, *argument))

    return BatchProcessor(type("MyLetters", (Letters,), {hook: hookimpl(override)})())


def wrapping(hook: str) -> BatchProcessor:
    def wrapper(self: Any) -> Any:
        return getattr(OtherLetters, hook)((yield))

    return BatchProcessor(Letters(), plugins=[type("Wraps", (), {hook: hookimpl(wrapper=True)(wrapper)})()])


@pytest.mark.parametrize("other", [overriding, wrapping])
def test_a_hook_that_one_pass_would_leave_out_is_called_where_it_is_another(
    other: Callable[[str], BatchProcessor],
) -> None:
    event = {"Records": [{"id": "1", "eventSource": "post:letters"}, {"id": "2", "eventSource": "post:letters"}]}

    def identifiers(processor: BatchProcessor) -> list[Any]:
        return list(processor.run(event, lambda letter: None).batch.identifiers)

    assert identifiers(BatchProcessor(Letters())) == ["1", "2"]
    assert identifiers(other("extract_records")) == ["2"]
    assert identifiers(other("identify_records")) == ["no. 1", "no. 2"]
    with pytest.raises(UnexpectedBatchTypeError):
        identifiers(other("claims_event"))


@pytest.mark.parametrize("other", [overriding, wrapping])
def test_a_hook_whose_result_is_known_beforehand_is_called_where_it_is_another(
    other: Callable[[str], BatchProcessor],
) -> None:
    event = {"Records": [{"id": "1", "eventSource": "post:letters"}, {"id": "2", "eventSource": "post:letters"}]}
    handled: list[Any] = []

    other("record_decoder").run(event, handled.append)
    with pytest.raises(BatchProcessingError) as raised:
        other("ordering_policy").run(event, fail)

    assert handled == ["1", "2"]
    assert [outcome.status for outcome in raised.value.result.outcomes] == ["failed", "not_attempted"]
    assert other("build_response").run(event, handled.append).response == {"batchItemFailures": [], "of": "letters"}


def fail(record: Any) -> None:
    raise ValueError


@pytest.mark.parametrize("hook", ["of another source", "passing itself off"])
def test_an_ordering_that_is_only_like_that_of_a_records_source_is_asked_for(hook: str) -> None:
    class Letters(RecordsSource[Any]):
        name, service, identifier = "letters", "post:letters", ("id",)

    class Ordered(Letters):
        ordering = in_order()

    @hookimpl
    def passing_off(batch: Any) -> Ordering:
        return in_order()

    letters: Any = Letters()
    passing_off.__func__ = letters.ordering_policy.__func__  # type: ignore[attr-defined]  # as a proxy would
    letters.ordering_policy = Ordered().ordering_policy if hook == "of another source" else passing_off
    event = {"Records": [{"id": "1", "eventSource": "post:letters"}, {"id": "2", "eventSource": "post:letters"}]}
    result = BatchProcessor(letters, raise_on_entire_batch_failure=False).run(event, fail)
    assert [outcome.status for outcome in result.outcomes] == ["failed", "not_attempted"]


def test_a_hook_may_be_set_on_the_object_itself() -> None:
    source = ToySource()
    source.record_decoder = hookimpl(lambda batch: lambda record: record["id"])  # type: ignore[attr-defined]
    handled: list[Any] = []

    run(source, EVENT, handled.append)

    assert handled == ["car", "bad doll", "ball"]


def test_a_hook_may_be_a_callable_that_shows_no_code() -> None:
    handled: list[Any] = []

    class Decoder:
        def __call__(self, batch: Any) -> Any:
            return lambda record: record["id"]

    source = source_with(record_decoder=hookimpl(Decoder()))

    run(source, EVENT, handled.append)

    assert handled == ["car", "bad doll", "ball"]


def test_properties_of_a_source_are_left_alone() -> None:
    class WithConnection(ToySource):
        @property
        def connection(self) -> object:
            raise AssertionError("nobody asked for it")

    assert failed(run(WithConnection(), EVENT, plugins=[PassesEverythingOn()])) == ["bad doll"]


class Notes(PassesEverythingOn):
    """Implements or wraps every hook, and writes down which was called."""

    @hookimpl
    def wrap_handler(self, handler: Any) -> Any:
        self.called.append("wrap_handler")

        @functools.wraps(handler)
        def noted(*arguments: Any, **named: Any) -> Any:
            self.called.append("(handler)")
            return handler(*arguments, **named)

        return noted

    @hookimpl
    def before_records(self, batch: Any) -> None:
        self.called.append("before_records")

    @hookimpl
    def after_records(self, batch: Any) -> None:
        self.called.append("after_records")

    @hookimpl
    def deliver_dead_letter(self, outcome: Any, batch: Any) -> None:
        self.called.append("deliver_dead_letter")
        batch.original_message(outcome.record)

    @hookimpl
    def deliver_dead_letters(self, outcomes: Any, batch: Any) -> Any:
        self.called.append("deliver_dead_letters")
        return [None for outcome in outcomes if batch.original_message(outcome.record)]

    @hookimpl
    def batch_started(self, batch: Any) -> None:
        self.called.append("batch_started")

    @hookimpl
    @contextmanager
    def record_scope(self, record: Any) -> Iterator[None]:
        self.called.append("record_scope entered")
        yield
        self.called.append("record_scope left")

    @hookimpl
    def record_finished(self, outcome: Any) -> None:
        self.called.append("record_finished")

    @hookimpl
    def batch_finished(self, result: Any) -> None:
        self.called.append("batch_finished")

    @hookimpl
    def after_batch(self, result: Any) -> None:
        self.called.append("after_batch")


@pytest.mark.parametrize("ordering", [unordered, in_order()], ids=str)
def test_the_hooks_fire_in_this_order(ordering: Any) -> None:
    plugin = Notes()
    calls = plugin.called

    def step(name: str) -> Any:
        return lambda batch: lambda record: calls.append(name) or record

    @contextmanager
    def owner(record: Any) -> Iterator[str]:
        calls.append("argument entered")
        yield "Ada"
        calls.append("argument left")

    source = source_with(
        record_preparer=step("(prepare)"),
        record_decoder=step("(decode)"),
        handler_arguments=lambda batch: {"owner": owner},
    )
    processor = BatchProcessor(
        source, plugins=[plugin], dispositions={ValueError: Disposition.DEAD_LETTER}, ordering=ordering
    )
    calls.append("made")

    processor.run(toys("car", "bad 1", "bad 2"), asks_for_owner)

    entered = ("(prepare)", "(decode)", "record_scope entered", "argument entered", "(handler)")
    failure = (*entered, "delivery_attempt", "describe_record")  # it raised: nothing follows the yields
    again = entered  # and of the second that failed in the same way, nothing is written
    if ordering is unordered:
        failures = [*failure, *again, "after_records", "deliver_dead_letters"]
        failures += [*("original_message",) * 2, *("record_finished",) * 2]
    else:
        settled = ("deliver_dead_letter", "original_message", "record_finished")
        failures = [*failure, *settled, *again, *settled, "after_records"]
    assert calls == [
        "acknowledgement",
        "made",
        "wrap_handler",
        "claims_event",
        "extract_records",
        "identify_records",
        "ordering_policy",
        "record_decoder",
        "record_preparer",
        "batch_started",
        "before_records",
        "handler_arguments",
        *(*entered, "argument left", "record_finished", "record_scope left"),
        *failures,
        "build_response",
        "batch_finished",
        "after_batch",
    ]


class Nameless(RecordsSource):
    name = "nameless"
    service = "acme:things"


class Homeless(RecordsSource):
    name = "homeless"
    identifier = ("id",)


@pytest.mark.parametrize("source", [Nameless, Homeless])
def test_records_source_that_does_not_say_what_it_is_is_refused(source: type[RecordsSource]) -> None:
    with pytest.raises(
        PluginError, match=f"The source '{source.name}' must have a service, such as 'aws:sqs', and an id"
    ):
        BatchProcessor(source())


class Parcels(RecordsSource):
    name = "parcels"
    service = "acme:parcels"
    identifier = ("parcel", "id")


class OneByOne(Parcels):
    """The same, whose hooks are asked one by one, since it overrides one."""

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return event["Records"]


class Text(str):
    __slots__ = ()

    def __bool__(self) -> bool:
        return False


class OnlyItems:
    """An event object of another library, which is no mapping."""

    def __getitem__(self, key: str) -> Any:
        return parcels("a")[key]


def parcels(*identifiers: Any, **fields: Any) -> dict[str, Any]:
    record = {"eventSource": "acme:parcels", **fields}
    return {"Records": [{**record, "parcel": {"id": identifier}} for identifier in identifiers]}


@pytest.mark.parametrize(
    "event",
    [
        parcels("a", "b"),
        parcels(),
        parcels("a", ""),
        parcels("a", None),
        parcels("a", 1),
        parcels(Text("a")),
        parcels("a", eventSource="aws:sqs"),
        {"Records": [*parcels("a")["Records"], {"eventSource": "acme:parcels"}]},
        {"Records": [*parcels("a")["Records"], {"parcel": {"id": "b"}}]},
        {"Records": [*parcels("a")["Records"], "text"]},
        {"Records": tuple(parcels("a")["Records"])},
        {"Records": {"parcel": {"id": "a"}}},
        {},
        OnlyItems(),
        None,
    ],
)
def test_records_source_reads_in_one_pass_what_its_hooks_read_one_by_one(event: Any) -> None:
    def read(source: Any) -> Any:
        try:
            return BatchProcessor(source).run(event, lambda record: None).batch.identifiers
        except UnexpectedBatchTypeError as error:
            return type(error), str(error).replace("OneByOne", "Parcels")

    assert read(Parcels()) == read(OneByOne())
