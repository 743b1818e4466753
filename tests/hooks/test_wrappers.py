"""Extensions wrap the hooks of a source: any of them, several of them, in order, and not without a result."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any
from unittest.mock import MagicMock, Mock

import pytest

from batchcore import (
    AsyncBatchProcessor,
    Batch,
    BatchProcessor,
    Message,
    Outcomes,
    PluginError,
    RecordIdentityError,
    UnexpectedBatchTypeError,
    hookimpl,
    in_order,
)
from batchcore._plugins.loading import Plugins
from batchcore.source import SOURCE_HOOKS

from .support import (
    FullSource,
    PassesEverythingOn,
    Run,
    ToySource,
    failed,
    play,
    run,
    run_async,
    statuses,
    toys,
    wrapper_of,
)

EVENT = toys("car", "bad doll", "ball")
BEFORE_THE_RESPONSE = sorted(
    SOURCE_HOOKS - {"checkpoint_of", "delivery_attempt", "describe_record", "original_message", "acknowledgement"}
)
"""The hooks that are called for each batch; one of them for each whose handler asks for something."""


def after(step: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Make a wrapper of a hook that gives a callable: the callable, and then this step."""
    return lambda inner: lambda record: step(inner(record))


# -- Each hook of a source, whether the source has it or not.


def test_claims_event_can_be_wrapped(driver: Run) -> None:
    picky = wrapper_of("claims_event", lambda claimed: False)

    with pytest.raises(UnexpectedBatchTypeError):
        driver(ToySource(), EVENT, plugins=[picky])


def test_extract_records_can_be_wrapped(driver: Run) -> None:
    first = wrapper_of("extract_records", lambda records: records[:1])

    assert len(driver(ToySource(), EVENT, plugins=[first]).outcomes) == 1


def test_identify_records_can_be_wrapped(driver: Run) -> None:
    numbered = wrapper_of("identify_records", lambda names: [f"{n}: {name}" for n, name in enumerate(names)])

    assert failed(driver(ToySource(), EVENT, plugins=[numbered])) == ["1: bad doll"]


@pytest.mark.parametrize("source", [ToySource, FullSource])
def test_record_preparer_can_be_wrapped(source: type, driver: Run) -> None:
    handled: list[Any] = []
    opens = wrapper_of("record_preparer", after(lambda record: {**record, "opened": True}))

    driver(source(), toys("car"), handled.append, plugins=[opens])

    assert handled[0]["opened"] is True
    assert ("prepared for" in handled[0]) is (source is FullSource)


@pytest.mark.parametrize("source", [ToySource, FullSource])
def test_record_decoder_can_be_wrapped(source: type, driver: Run) -> None:
    handled: list[Any] = []
    names = wrapper_of("record_decoder", after(lambda record: record["id"]))

    driver(source(), toys("car"), handled.append, plugins=[names])

    assert handled == ["car"]


@pytest.mark.parametrize("source", [ToySource, FullSource])
def test_ordering_policy_can_be_wrapped(source: type, driver: Run) -> None:
    strict = wrapper_of("ordering_policy", lambda inner: in_order(on_failure="stop"))

    assert statuses(driver(source(), EVENT, plugins=[strict])) == ["succeeded", "failed", "not_attempted"]


@pytest.mark.parametrize("source", [ToySource, FullSource])
def test_acknowledgement_can_be_wrapped(source: type) -> None:
    opposite = wrapper_of("acknowledgement", {"record": "checkpoint", "checkpoint": "record"}.get)

    alone = Plugins([]).resolve(source(), "toy").acknowledgement
    assert {alone, Plugins([opposite]).resolve(source(), "toy").acknowledgement} == {"record", "checkpoint"}


@pytest.mark.parametrize("source", [ToySource, FullSource])
def test_checkpoint_of_can_be_wrapped(source: type, driver: Run) -> None:
    """By the first letter of ``ball``, ``broken bear`` and ``boat``, or by the last."""
    by_last = wrapper_of("checkpoint_of", lambda inner: None)
    checkpoint = wrapper_of("acknowledgement", lambda inner: "checkpoint")

    result = driver(source(), EVENT, plugins=[by_last, checkpoint])

    assert [outcome.position for outcome in result.delivered_again] == [1, 2]


@pytest.mark.parametrize(("source", "logged"), [(ToySource, 1), (FullSource, 4)])
def test_delivery_attempt_can_be_wrapped(
    source: type, logged: int, driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    one_more = wrapper_of("delivery_attempt", lambda attempt: (attempt or 0) + 1)

    driver(source(), toys("bad"), plugins=[one_more])

    assert vars(caplog.records[0])["delivery_attempt"] == logged


@pytest.mark.parametrize("source", [ToySource, FullSource])
def test_describe_record_can_be_wrapped(source: type, driver: Run, caplog: pytest.LogCaptureFixture) -> None:
    adds = wrapper_of("describe_record", lambda description: {**description, "owner": "Ada"})

    driver(source(), toys("bad"), plugins=[adds])

    assert vars(caplog.records[0])["record_description"]["owner"] == "Ada"


@pytest.mark.parametrize("source", [ToySource, FullSource])
def test_build_response_can_be_wrapped(source: type, driver: Run) -> None:
    signs = wrapper_of("build_response", lambda response: {**response, "signed": True})

    response = driver(source(), EVENT, plugins=[signs]).response

    assert response.pop("signed") is True
    assert response == driver(source(), EVENT).response


@pytest.mark.parametrize(
    ("source", "owner"), [(ToySource, "nobody"), (FullSource, "owner of car of toy")], ids=["none", "its own"]
)
def test_handler_arguments_can_be_wrapped(source: type, owner: str, driver: Run) -> None:
    more = wrapper_of("handler_arguments", lambda given: {**given, "colour": lambda record: nullcontext("red")})

    def handler(toy: Any, colour: str, owner: str = "nobody") -> tuple[str, str]:
        return colour, owner

    assert driver(source(), toys("car"), handler, plugins=[more]).return_values == [("red", owner)]


@pytest.mark.parametrize(("source", "body"), [(ToySource, '{"id": "car"}'), (FullSource, "a toy: car")])
def test_original_message_can_be_wrapped(source: type, body: str, driver: Run) -> None:
    groups = wrapper_of("original_message", lambda message: Message(message.body, group="wrapped"))

    message = driver(source(), toys("car"), plugins=[groups]).batch.original_message({"id": "car"})

    assert (message.body, message.group) == (body, "wrapped")


def test_a_wrapper_sees_the_arguments_of_the_hook(driver: Run) -> None:
    seen: dict[str, Any] = {}

    class Looks:
        @hookimpl(wrapper=True)
        def claims_event(self, event: Any) -> Iterator[None]:
            seen["event"] = event
            return (yield)

        @hookimpl(wrapper=True)
        def identify_records(self, records: Any) -> Iterator[None]:
            seen["records"] = records
            return (yield)

        @hookimpl(wrapper=True)
        def record_decoder(self, batch: Batch) -> Iterator[None]:
            seen["source"] = batch.source
            return (yield)

        @hookimpl(wrapper=True)
        def build_response(self, batch: Batch, outcomes: Outcomes) -> Iterator[None]:
            seen["batch"], seen["statuses"] = batch, [outcome.status for outcome in outcomes]
            return (yield)

    result = driver(ToySource(), EVENT, plugins=[Looks()])

    assert seen.pop("batch") is result.batch
    assert seen == {
        "event": EVENT,
        "records": EVENT["toys"],
        "source": "toy",
        "statuses": ["succeeded", "failed", "succeeded"],
    }


def test_a_wrapper_may_name_fewer_arguments_or_the_hook_by_specname(driver: Run) -> None:
    class Counts:
        @hookimpl(wrapper=True, specname="build_response")
        def count_the_failures(self, outcomes: Outcomes) -> Iterator[None]:
            yield
            return {"failures": len(outcomes.unfinished())}

    assert driver(ToySource(), EVENT, plugins=[Counts()]).response == {"failures": 1}


def test_a_wrapper_may_catch_what_the_source_raises() -> None:
    class Forgives:
        @hookimpl(wrapper=True)
        def identify_records(self, records: Any) -> Iterator[None]:
            try:
                return (yield)
            except KeyError:
                return [record.get("id", "no name") for record in records]

    result = run(ToySource(), {"toys": [{"id": "car"}, {}]}, plugins=[Forgives()])

    assert failed(result) == ["no name"]


def test_a_module_may_wrap(driver: Run) -> None:
    plugin = wrapper_of("build_response", lambda response: {**response, "signed": True})
    module = type(pytest)("signing")
    module.build_response = plugin.build_response  # type: ignore[attr-defined]

    assert driver(ToySource(), EVENT, plugins=[module]).response["signed"] is True


# -- Several of them.


def names_itself(name: str, **options: Any) -> Any:
    return wrapper_of("record_preparer", after(lambda r: {**r, "by": [*r.get("by", []), name]}), **options)


def test_several_wrappers_nest_the_first_named_innermost(driver: Run) -> None:
    handled: list[Any] = []

    driver(ToySource(), toys("car"), handled.append, plugins=[names_itself(name) for name in "abc"])

    assert handled[0]["by"] == ["a", "b", "c"], "the innermost acts first on what it is given"


def test_the_response_of_the_outermost_wrapper_stands(driver: Run) -> None:
    plugins = [wrapper_of("build_response", lambda inner, n=name: f"{n}({inner and 'response'})") for name in "abc"]

    assert driver(ToySource(), toys("car"), plugins=plugins).response == "c(response)"


def test_tryfirst_is_outside_and_trylast_inside_of_the_others(driver: Run) -> None:
    handled: list[Any] = []
    plugins = [names_itself("first", tryfirst=True), names_itself("a"), names_itself("b")]
    plugins += [names_itself("last", trylast=True)]

    driver(ToySource(), toys("car"), handled.append, plugins=plugins)

    assert handled[0]["by"] == ["last", "a", "b", "first"]


def test_one_plugin_may_wrap_a_hook_twice(driver: Run) -> None:
    handled: list[Any] = []
    plugin = names_itself("inner")
    type(plugin).again = hookimpl(wrapper=True, specname="record_preparer")(
        lambda self: (yield from type(names_itself("outer")).record_preparer(self))
    )

    driver(ToySource(), toys("car"), handled.append, plugins=[plugin])

    assert sorted(handled[0]["by"]) == ["inner", "outer"]


def test_equal_plugins_are_two_plugins(driver: Run) -> None:
    @dataclass
    class Stamp:
        text: str = "seen"

        @hookimpl(wrapper=True)
        def record_preparer(self) -> Iterator[None]:
            inner: Any = yield
            return lambda record: {**inner(record), "stamps": inner(record).get("stamps", 0) + 1}

    handled: list[Any] = []

    driver(ToySource(), toys("car"), handled.append, plugins=[Stamp(), Stamp()])

    assert handled[0]["stamps"] == 2


@pytest.mark.parametrize("double", [Mock, MagicMock])
def test_a_plugin_may_hold_what_has_every_attribute(double: type, driver: Run) -> None:
    class Sends:
        def __init__(self, client: Any) -> None:
            self.client = client

        @hookimpl
        def batch_started(self, batch: Batch) -> None:
            self.client.send(batch.source)

    client = double()

    driver(ToySource(), EVENT, plugins=[Sends(client)])

    client.send.assert_called_once_with("toy")


def test_properties_of_a_plugin_are_left_alone(driver: Run) -> None:
    class Lazy(PassesEverythingOn):
        @property
        def connection(self) -> object:
            raise AssertionError("nobody asked for it")

        @functools.cached_property
        def pool(self) -> object:
            raise AssertionError("nobody asked for it")

    assert failed(driver(ToySource(), EVENT, plugins=[Lazy()])) == ["bad doll"]


# -- Wrappers that go wrong.


def asking(handled: list[Any]) -> Callable[..., None]:
    """Make a handler that asks for an argument, and can do without."""

    def handler(toy: Any, owner: str = "nobody") -> None:
        handled.append(toy)

    return handler


@pytest.mark.parametrize("hook", BEFORE_THE_RESPONSE)
@pytest.mark.parametrize("source", [ToySource, FullSource])
def test_a_wrapper_that_loses_the_result_is_an_error(hook: str, source: type) -> None:
    handled: list[Any] = []

    with pytest.raises(
        PluginError, match=rf"wraps {hook}\(\) gave None. A wrapper returns what its yield gave"
    ) as caught:
        run(source(), EVENT, asking(handled), plugins=[wrapper_of(hook, lambda inner: None)])

    assert caught.value.hook == hook
    assert handled == [] or hook == "build_response"


def test_a_wrapper_that_loses_the_acknowledgement_is_an_error_at_construction() -> None:
    with pytest.raises(PluginError, match=r"wraps acknowledgement\(\) gave None"):
        BatchProcessor(ToySource(), plugins=[wrapper_of("acknowledgement", lambda inner: None)])


@pytest.mark.parametrize("hook", ["delivery_attempt", "describe_record"])
def test_a_wrapper_that_loses_what_is_logged_changes_no_outcome(
    hook: str, driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    result = driver(FullSource(), EVENT, plugins=[wrapper_of(hook, lambda inner: None)])

    assert statuses(result) == ["succeeded", "failed", "not_attempted"]
    assert "it is broken" in caplog.text


def raises(inner: Any) -> Any:
    raise LookupError("no shelf")


@pytest.mark.parametrize("hook", BEFORE_THE_RESPONSE)
@pytest.mark.parametrize("early", [True, False], ids=["before the yield", "after it"])
def test_a_wrapper_that_raises_refuses_the_batch_before_the_first_record(hook: str, early: bool) -> None:
    class RaisesEarly:
        @hookimpl(wrapper=True, specname=hook)
        def around(self) -> Iterator[None]:
            raises(None)
            return (yield)

    handled: list[Any] = []
    plugin = RaisesEarly() if early else wrapper_of(hook, raises)

    with pytest.raises((LookupError, UnexpectedBatchTypeError, RecordIdentityError)) as caught:
        run(FullSource(), EVENT, asking(handled), plugins=[plugin])

    assert "no shelf" in f"{caught.value} {caught.value.__cause__}"
    assert handled == [] or hook == "build_response"


@pytest.mark.parametrize("hook", ["delivery_attempt", "describe_record"])
def test_a_wrapper_of_what_is_logged_that_raises_changes_no_outcome(hook: str, driver: Run) -> None:
    result = driver(FullSource(), EVENT, plugins=[wrapper_of(hook, raises)])

    assert statuses(result) == ["succeeded", "failed", "not_attempted"]


def test_a_wrapper_that_yields_twice_is_an_error() -> None:
    class Twice:
        @hookimpl(wrapper=True)
        def claims_event(self) -> Iterator[None]:
            yield
            yield

    with pytest.raises((RuntimeError, UnexpectedBatchTypeError)) as caught:
        run(ToySource(), EVENT, plugins=[Twice()])

    assert "second yield" in f"{caught.value} {caught.value.__cause__}"


# -- What a wrapped preparer costs when it fails: one record, and it keeps its identity.


def test_a_wrapped_preparer_that_fails_costs_one_record(driver: Run, caplog: pytest.LogCaptureFixture) -> None:
    def opened(record: Any) -> Any:
        if record["id"] == "ball":
            raise LookupError("locked")
        return {**record, "id": f"opened {record['id']}"}

    with caplog.at_level(logging.WARNING, "batchcore"):
        result = driver(
            ToySource(), toys("car", "ball", "doll"), plugins=[wrapper_of("record_preparer", after(opened))]
        )

    assert failed(result) == ["ball"]
    assert result.return_values == ["played with opened car", "played with opened doll"]
    assert [outcome.record["id"] for outcome in result.outcomes] == ["car", "ball", "doll"], "the raw records"
    assert "LookupError: locked" in caplog.text


def test_a_wrapper_may_make_the_preparer_a_coroutine_function_under_asyncio() -> None:
    def awaited(inner: Any) -> Any:
        async def prepare(record: Any) -> Any:
            return {**inner(record), "awaited": True}

        return prepare

    handled: list[Any] = []

    run_async(FullSource(), toys("car"), handled.append, plugins=[wrapper_of("record_preparer", awaited)])

    assert handled[0]["awaited"] is True


def test_a_source_is_not_wrapped_for_other_processors() -> None:
    source = ToySource()
    signs = wrapper_of("build_response", lambda response: {**response, "signed": True})

    signed, plain = BatchProcessor(source, plugins=[signs]), BatchProcessor(source)

    assert "signed" in signed.run(EVENT, play).response
    assert "signed" not in plain.run(EVENT, play).response
    assert "signed" in AsyncBatchProcessor(source, plugins=[signs]).run(EVENT, play).response
