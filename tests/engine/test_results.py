"""What a batch gives to those who look: the result, its outcomes, the batch, and the records' values."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from batchcore import (
    Batch,
    BatchResult,
    Outcome,
    Outcomes,
    PluginError,
    RecordIdentityError,
    UnexpectedBatchTypeError,
    hookimpl,
    in_order,
)
from batchcore_sqs import SQS
from tests.batches import batch_of, failed, handle
from tests.drivers import Way


@pytest.fixture
def result(driver: Way) -> BatchResult:
    """Of a batch in which one record succeeded, one failed and one was not attempted."""
    return driver.processor(ordering=in_order()).run(batch_of("a", "bad", "c"), handle, "context")


def test_result_has_the_response_and_an_outcome_per_record(result: BatchResult) -> None:
    assert failed(result.response) == ["m1", "m2"]
    assert [(o.position, o.identifier, o.status, o.done) for o in result.outcomes] == [
        (0, "m0", "succeeded", True),
        (1, "m1", "failed", False),
        (2, "m2", "not_attempted", False),
    ]
    assert [outcome.value for outcome in result.outcomes] == ["A", None, None]
    assert [outcome.record["body"] for outcome in result.outcomes] == ["a", "bad", "c"]
    assert [type(outcome.exception).__name__ for outcome in result.outcomes] == [
        "NoneType",
        "ValueError",
        "NotAttemptedError",
    ]


def test_result_counts_and_lists(result: BatchResult) -> None:
    assert result.counts() == {"succeeded": 1, "failed": 1, "not_attempted": 1}
    assert result.return_values == ["A"]
    assert [outcome.identifier for outcome in result.failures] == ["m1", "m2"]
    assert [outcome.identifier for outcome in result.outcomes.unfinished()] == ["m1", "m2"]
    assert result.outcomes.unfinished_positions() == [1, 2]


def test_outcomes_are_a_sequence(result: BatchResult) -> None:
    outcomes = result.outcomes
    assert isinstance(outcomes, Outcomes)
    assert len(outcomes) == 3
    assert isinstance(outcomes[0], Outcome)
    assert outcomes[-1].identifier == "m2"
    assert [outcome.identifier for outcome in outcomes[:2]] == ["m0", "m1"]
    assert [outcome.identifier for outcome in reversed(outcomes)] == ["m2", "m1", "m0"]
    for index in (3, -4):
        with pytest.raises(IndexError):
            outcomes[index]


def test_result_knows_its_batch(result: BatchResult) -> None:
    batch = result.batch
    assert isinstance(batch, Batch)
    assert batch is result.outcomes.batch
    assert (len(batch.records), list(batch.identifiers)) == (3, ["m0", "m1", "m2"])
    assert (batch.context, batch.source, batch.event["Records"][0]["body"]) == ("context", "sqs", "a")


def test_they_can_be_read_in_a_debugger_without_a_body(result: BatchResult) -> None:
    assert repr(result.batch) == "<Batch of 3 from sqs>"
    assert repr(result.outcomes) == "<Outcomes of <Batch of 3 from sqs>>"
    assert repr(result.outcomes[1]) == "<Outcome 1: 'm1' failed>"
    assert repr(result) == "<BatchResult of <Batch of 3 from sqs>: {'succeeded': 1, 'failed': 1, 'not_attempted': 1}>"


def test_return_values_are_in_the_order_of_the_batch_none_included(driver: Way) -> None:
    result = driver.processor().run(
        batch_of("a", "none", "bad", "c"), lambda r: None if r["body"] == "none" else handle(r)
    )
    assert result.return_values == ["A", None, "C"]


def test_value_of_a_handler_is_given_back_as_it_is(driver: Way) -> None:
    values: list[Any] = [object(), [], {"a": 1}, ValueError("returned"), False, 0]
    result = driver.processor().run(batch_of(*map(str, range(len(values)))), lambda record: values[int(record["body"])])
    assert all(given is value for given, value in zip(result.return_values, values, strict=True))
    assert failed(result.response) == []


class Proxy:
    """Stands for something that is not there, as a lazy proxy does outside of its context."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("outside of its context")

    def __bool__(self) -> bool:
        raise RuntimeError("outside of its context")


def test_value_of_a_handler_is_not_looked_into(way: Way) -> None:
    assert failed(way(batch_of("a", "bad"), lambda record: handle(record) and Proxy())) == ["m1"]


def test_source_sees_the_outcomes_when_it_builds_the_response(driver: Way) -> None:
    class Source(type(SQS)):  # type: ignore[misc]  # a class made of an object
        @hookimpl
        def build_response(self, batch: Any, outcomes: Any) -> Any:
            return [(outcome.identifier, outcome.status, outcome.value) for outcome in outcomes]

    assert driver(batch_of("a", "bad"), event_type=Source()) == [("m0", "succeeded", "A"), ("m1", "failed", None)]


def test_batch_under_the_context_manager_has_no_event(opened: Way) -> None:
    class Source(type(SQS)):  # type: ignore[misc]  # a class made of an object
        @hookimpl
        def build_response(self, batch: Any, outcomes: Any) -> Any:
            return batch.event, batch.context, len(batch.records)

    assert opened(batch_of("a", "b"), context="context", event_type=Source()) == (None, "context", 2)


def test_records_that_handlers_have_kept_can_be_copied_and_pickled(driver: Way) -> None:
    kept: list[Any] = []
    event = batch_of("a")
    driver(event, kept.append)
    for other in (copy.copy(kept[0]), copy.deepcopy(kept[0]), pickle.loads(pickle.dumps(kept[0]))):
        assert other == kept[0] == event["Records"][0]
        assert other.body == "a"


def test_source_that_is_asked_before_the_records_have_run_sees_them_as_not_attempted(opened: Way) -> None:
    class Source(type(SQS)):  # type: ignore[misc]  # a class made of an object
        @hookimpl
        def build_response(self, batch: Any, outcomes: Any) -> Any:
            return [outcome.status for outcome in outcomes]

    processor = opened.processor(event_type=Source())
    with processor(batch_of("a", "b")["Records"], handle):
        assert processor.response() == ["not_attempted"] * 2
    assert processor.response() == ["not_attempted"] * 2
    assert (processor.success_messages, processor.fail_messages, processor.exceptions) == ([], [], [])


WRONG_HOOKS: dict[str, tuple[str, Any, str]] = {
    "no response": ("build_response", lambda self, batch, outcomes: None, "gives the response for AWS, not None"),
    "no ordering": ("ordering_policy", lambda self, batch: "in order", "gives an Ordering, not 'in order'"),
    "no decoder": ("record_decoder", lambda self, batch: "decoder", "gives a callable, not 'decoder'"),
    "no preparer": ("record_preparer", lambda self, batch: "preparer", "gives a callable, not 'preparer'"),
    "too few identifiers": ("identify_records", lambda self, records: ["a"], "gave 1 identifiers for 2 records"),
    "no list of identifiers": (
        "identify_records",
        lambda self, records: (str(n) for n in range(2)),
        "gave no list of identifiers for 2 records",
    ),
}


@pytest.mark.parametrize("wrong", WRONG_HOOKS)
def test_hook_that_gives_what_it_may_not_is_named(driver: Way, wrong: str) -> None:
    hook, function, message = WRONG_HOOKS[wrong]
    broken = type("Broken", (type(SQS),), {hook: hookimpl(function)})()
    handled: list[Any] = []
    with pytest.raises(PluginError, match=rf"{hook}\(\) of source 'sqs' {message}") as caught:
        driver(batch_of("a", "b"), handled.append, event_type=broken)
    assert (caught.value.hook, caught.value.plugin) == (hook, broken)
    assert handled == [] or hook == "build_response"


class Broken(type(SQS)):  # type: ignore[misc]  # a class made of an object
    """Raises what a test has chosen in the hook that it has chosen."""

    def __init__(self, hook: str, error: Exception) -> None:
        self.hook = hook
        self.error = error

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        if self.hook == "claims_event":
            raise self.error
        return True

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        raise self.error


@pytest.mark.parametrize(
    ("hook", "named"), [("claims_event", UnexpectedBatchTypeError), ("identify_records", RecordIdentityError)]
)
def test_hook_that_raises_is_the_cause_of_a_named_error(driver: Way, hook: str, named: type[Exception]) -> None:
    error = LookupError("inside")
    with pytest.raises(named) as caught:
        driver(batch_of("a", "b"), event_type=Broken(hook, error))
    assert caught.value.__cause__ is error
    with pytest.raises(PluginError, match="of a wrapper"):
        driver(batch_of("a", "b"), event_type=Broken(hook, PluginError("of a wrapper")))
