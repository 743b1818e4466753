"""What the tests of this folder share: a source of their own, in all forms that a source may have, and its events."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    Batch,
    BatchProcessor,
    BatchResult,
    Message,
    Ordering,
    Outcomes,
    hookimpl,
    in_order,
)

Event = dict[str, Any]
Record = dict[str, Any]


def toys(*identifiers: str, **fields: Any) -> Event:
    """Make an event of toys. One whose identifier starts with "bad" fails in :func:`play`."""
    return {"toys": [{"id": identifier, **fields} for identifier in identifiers]}


def play(toy: Any) -> str:
    """The record handler of these tests."""
    if toy["id"].startswith("bad"):
        raise ValueError("it is broken")
    return f"played with {toy['id']}"


class ToySource:
    """A source with nothing but what every source must have."""

    name = "toy"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, dict) and "toys" in event

    @hookimpl
    def extract_records(self, event: Any) -> Sequence[Record]:
        records: list[Record] = event["toys"]
        return records

    @hookimpl
    def identify_records(self, records: Sequence[Record]) -> Sequence[str]:
        return [record["id"] for record in records]


class CheckpointSource(ToySource):
    """A source of which everything from the lowest failed record on comes again."""

    @hookimpl
    def acknowledgement(self) -> str:
        return "checkpoint"


class FullSource(ToySource):
    """A source with every hook."""

    @hookimpl
    def record_preparer(self, batch: Batch) -> Callable[[Record], Record]:
        return lambda record: {**record, "prepared for": batch.source}

    @hookimpl
    def record_decoder(self, batch: Batch) -> Callable[[Record], Any]:
        return lambda record: {**record, "decoded in a batch of": len(batch.records)}

    @hookimpl
    def ordering_policy(self, batch: Batch) -> Ordering:
        return in_order()

    @hookimpl
    def acknowledgement(self) -> str:
        return "checkpoint"

    @hookimpl
    def checkpoint_of(self, record: Record) -> Any:
        return record["id"][:1]

    @hookimpl
    def delivery_attempt(self, record: Record) -> int:
        return 3

    @hookimpl
    def describe_record(self, record: Record) -> Mapping[str, Any]:
        return {"shelf": f"shelf of {record['id']}"}

    @hookimpl
    def original_message(self, record: Record) -> Message:
        return Message(f"a toy: {record['id']}", group="toys")

    @hookimpl
    def handler_arguments(self, batch: Batch) -> Mapping[str, Callable[[Record], AbstractContextManager[Any]]]:
        return {"owner": lambda record: nullcontext(f"owner of {record['id']} of {batch.source}")}

    @hookimpl
    def build_response(self, batch: Batch, outcomes: Outcomes, fail: Any = None) -> Any:
        return {"again": [outcome.identifier for outcome in outcomes.unfinished()], "of": len(batch.records)}


class ShorterSource(ToySource):
    """Every hook that can do without some of its arguments does, and gives what :class:`FullSource` gives."""

    @hookimpl
    def claims_event(self) -> bool:
        return True

    @hookimpl
    def record_preparer(self) -> Callable[[Record], Record]:
        return lambda record: {**record, "prepared for": "toy"}

    @hookimpl
    def record_decoder(self) -> Callable[[Record], Any]:
        return lambda record: {**record, "decoded in a batch of": 3}

    @hookimpl
    def ordering_policy(self) -> Ordering:
        return in_order()

    @hookimpl
    def acknowledgement(self) -> str:
        return "checkpoint"

    @hookimpl
    def checkpoint_of(self, record: Record, length: int = 1) -> Any:
        return record["id"][:length]

    @hookimpl
    def delivery_attempt(self) -> int:
        return 3

    @hookimpl
    def describe_record(self, record: Record, unit: str = "shelf") -> Mapping[str, Any]:
        return {unit: f"{unit} of {record['id']}"}

    @hookimpl
    def original_message(self, record: Record, group: str = "toys") -> Message:
        return Message(f"a toy: {record['id']}", group=group)

    @hookimpl
    def handler_arguments(self) -> Mapping[str, Callable[[Record], AbstractContextManager[Any]]]:
        return {"owner": lambda record: nullcontext(f"owner of {record['id']} of toy")}

    @hookimpl
    def build_response(self, outcomes: Outcomes, more: str = "again") -> Any:
        return {more: [outcome.identifier for outcome in outcomes.unfinished()], "of": len(outcomes)}


HOOKS_OF_A_SOURCE = [name for name in (*vars(ToySource), *vars(FullSource)) if hasattr(FullSource, name)]
HOOKS_OF_A_SOURCE = [name for name in HOOKS_OF_A_SOURCE if hasattr(getattr(FullSource, name), "batchcore_impl")]


def anew(hook: str) -> Callable[..., Any]:
    """Give a hook of :class:`FullSource` as a function of its own, not marked."""
    marked: Any = getattr(FullSource, hook)
    return type(marked)(marked.__code__, marked.__globals__, hook, marked.__defaults__, marked.__closure__)


def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate as most decorators do: the arguments are hidden, and found by ``__wrapped__``."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return call


def renamed_source() -> object:
    """Every method is named by its own taste, and says which hook it is."""
    methods = {f"on_{hook}": hookimpl(specname=hook)(anew(hook)) for hook in HOOKS_OF_A_SOURCE}
    return type("RenamedSource", (), {"name": "toy", **methods})()


def decorated_source() -> object:
    """Every method is decorated, half of them outside of the marker."""
    pairs = enumerate(HOOKS_OF_A_SOURCE)
    methods = {h: hookimpl(decorated(anew(h))) if n % 2 else decorated(hookimpl(anew(h))) for n, h in pairs}
    return type("DecoratedSource", (), {"name": "toy", **methods})()


def methods_of_other_kinds_source() -> object:
    """Every second method is a static one, the others are class methods."""
    methods: dict[str, Any] = {}
    for number, hook in enumerate(HOOKS_OF_A_SOURCE):
        marked = hookimpl(anew(hook))
        methods[hook] = classmethod(marked) if number % 2 else staticmethod(functools.partial(marked, None))
    for hook, method in methods.items():
        if isinstance(method, staticmethod):
            methods[hook] = staticmethod(hookimpl(method.__func__))
    return type("OtherKindsSource", (), {"name": "toy", **methods})()


def module_source() -> ModuleType:
    """A module whose functions are the hooks."""
    module = ModuleType("toy_module")
    source = FullSource()
    for hook in HOOKS_OF_A_SOURCE:
        setattr(module, hook, getattr(source, hook))
    module.name = "toy"  # type: ignore[attr-defined]
    return module


def source_with(base: type = ToySource, /, **hooks: Callable[..., Any]) -> Any:
    """Make a source with some hooks replaced by others, which get no ``self``."""
    methods = {name: staticmethod(hookimpl(function)) for name, function in hooks.items()}
    return type("OwnSource", (base,), methods)()


def plugin_of(**hooks: Callable[..., Any]) -> Any:
    """Make an extension or observer of some functions, which get no ``self``."""
    methods = {name: staticmethod(hookimpl(function)) for name, function in hooks.items()}
    return type("Plugin", (), methods)()


def wrapper_of(hook: str, wrap: Callable[[Any], Any], **options: Any) -> Any:
    """Make a plugin that wraps one hook: its result is what ``wrap`` makes of the result inside."""

    def wrapper(self: object) -> Iterator[None]:
        return wrap((yield))

    wrapper.__qualname__ = f"Wrapper.{hook}"
    return type("Wrapper", (), {hook: hookimpl(wrapper=True, **options)(wrapper)})()  # type: ignore[call-overload]


class PassesEverythingOn:
    """Wraps every hook of a source, with all its arguments, and changes nothing."""

    def __init__(self) -> None:
        self.called: list[str] = []

    @hookimpl(wrapper=True)
    def claims_event(self, event: Any) -> Iterator[None]:
        self.called.append("claims_event")
        return (yield)

    @hookimpl(wrapper=True)
    def extract_records(self, event: Any) -> Iterator[None]:
        self.called.append("extract_records")
        return (yield)

    @hookimpl(wrapper=True)
    def identify_records(self, records: Sequence[Record]) -> Iterator[None]:
        self.called.append("identify_records")
        return (yield)

    @hookimpl(wrapper=True)
    def record_preparer(self, batch: Batch) -> Iterator[None]:
        self.called.append("record_preparer")
        return (yield)

    @hookimpl(wrapper=True)
    def record_decoder(self, batch: Batch) -> Iterator[None]:
        self.called.append("record_decoder")
        return (yield)

    @hookimpl(wrapper=True)
    def ordering_policy(self, batch: Batch) -> Iterator[None]:
        self.called.append("ordering_policy")
        return (yield)

    @hookimpl(wrapper=True)
    def acknowledgement(self) -> Iterator[None]:
        self.called.append("acknowledgement")
        return (yield)

    @hookimpl(wrapper=True)
    def delivery_attempt(self, record: Record) -> Iterator[None]:
        self.called.append("delivery_attempt")
        return (yield)

    @hookimpl(wrapper=True)
    def describe_record(self, record: Record) -> Iterator[None]:
        self.called.append("describe_record")
        return (yield)

    @hookimpl(wrapper=True)
    def original_message(self, record: Record) -> Iterator[None]:
        self.called.append("original_message")
        return (yield)

    @hookimpl(wrapper=True)
    def handler_arguments(self, batch: Batch) -> Iterator[None]:
        self.called.append("handler_arguments")
        return (yield)

    @hookimpl(wrapper=True)
    def build_response(self, batch: Batch, outcomes: Outcomes) -> Iterator[None]:
        self.called.append("build_response")
        return (yield)


class OnlyWatches:
    """An observer: it wraps nothing."""

    @hookimpl
    def batch_started(self, batch: Batch) -> None:
        pass


class TimeLeft:
    """A Lambda context whose time passes only when a test says so: no machine is too slow for that.

    Args:
        seconds: how much is left.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return round(self.seconds * 1000)


def run(
    source: Any, event: Any, handler: Callable[..., Any] = play, *, context: Any = None, **options: Any
) -> BatchResult:
    """Process an event in this thread; a batch that fails entirely does not raise."""
    options = {"raise_on_entire_batch_failure": False, **options}
    return BatchProcessor(source, **options).run(event, handler, context)


def run_async(
    source: Any, event: Any, handler: Callable[..., Any] = play, *, context: Any = None, **options: Any
) -> BatchResult:
    """Process an event with asyncio; a batch that fails entirely does not raise."""
    options = {"raise_on_entire_batch_failure": False, **options}
    return AsyncBatchProcessor(source, **options).run(event, handler, context)


def run_threads(source: Any, event: Any, handler: Callable[..., Any] = play, **options: Any) -> BatchResult:
    """Process an event in two worker threads; a batch that fails entirely does not raise."""
    return run(source, event, handler, max_concurrency=2, **options)


Run = Callable[..., BatchResult]
DRIVERS = [run, run_threads, run_async]


def failed(result: BatchResult) -> list[Any]:
    """Give the identifiers that a response names."""
    return [item["itemIdentifier"] for item in result.response["batchItemFailures"]]


def statuses(result: BatchResult) -> list[str]:
    return [outcome.status for outcome in result.outcomes]


def exceptions(result: BatchResult) -> list[BaseException | None]:
    return [outcome.exception for outcome in result.outcomes]


def errors_of(caplog: pytest.LogCaptureFixture) -> str:
    """Give what was logged at ERROR, without tracebacks."""
    return "\n".join(record.getMessage() for record in caplog.records if record.levelname == "ERROR")
