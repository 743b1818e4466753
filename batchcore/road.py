"""The road of a batch, top to bottom: event in, records, lanes, outcomes, response out.

:func:`begin` reads and checks everything that can be wrong before the first record runs. A driver (:func:`run_lanes`
here, its twin in :mod:`batchcore.aio`) runs the records. :func:`finish` builds the response, and only then decides
whether to raise. What happens in one invocation lives in its :class:`batchcore.invocation.Invocation`; nothing here is
shared.
"""

from __future__ import annotations

import builtins
import weakref
from types import AsyncGeneratorType, GeneratorType, NoneType

from batchcore.errors import (
    BatchProcessingError,
    PluginError,
    RecordIdentityError,
    UnawaitedResultError,
    UnexpectedBatchTypeError,
    kind_of,
    text_of,
)
from batchcore.handler import discard, is_awaitable
from batchcore.invocation import UNTOLD
from batchcore.ordering import Ordering
from batchcore.outcome import (
    FAILED,
    NOT_PROCESSED,
    Outcomes,
    exception_info,
    release_frames,
)
from batchcore.source import as_it_is
from batchcore.view import quick_class

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
    from typing import Any, TypeAlias

    from batchcore.invocation import Invocation, Settings
    from batchcore.source import Source
    from batchcore.types import Record

    Place: TypeAlias = tuple[int, Record]


def begin(invocation: Invocation, settings: Settings, event: Any) -> None:
    """Read an event: every error that is not one record's is raised here, before the first record.

    Raises:
        UnexpectedBatchTypeError: the event is not the source's, or not all of it.
        RecordIdentityError: a record cannot be named.
    """
    source = settings.source
    try:
        claimed = source.claims_event(event)
    except PluginError:
        raise
    except Exception as error:
        raise _unexpected(source, event) from error
    if not claimed:
        raise _unexpected(source, event)
    begin_records(invocation, settings, source.extract_records(event), event)


def begin_records(invocation: Invocation, settings: Settings, records: Sequence[Record], event: Any = None) -> None:
    """Start from the records alone, as the context manager does.

    Raises:
        UnexpectedBatchTypeError: the records are no list.
        RecordIdentityError: a record cannot be named.
    """
    source = settings.source
    invocation.settings = settings
    invocation.event = event
    invocation.records = records = _list_of(records)  # a handler that changes the event's list moves no outcome
    invocation.identifiers = _identifiers(source, records)
    invocation.source = source.name
    invocation.values = [NOT_PROCESSED] * len(records)
    invocation.failures = {}
    invocation.ordering = settings.ordering or source.ordering_policy(invocation)
    invocation.view = view = source.record_decoder(invocation)
    if settings.validate is None:
        invocation.decode = view
        invocation.remakes_views = isinstance(view, type) and not source.prepares
    else:
        invocation.decode = settings.validate()
    if source.prepares:
        prepare = source.record_preparer(invocation)
        if not callable(prepare):
            raise _wrong_hook(invocation, "record_preparer", "a callable", prepare)
        invocation.prepare = None if prepare is as_it_is else prepare
    _check_given(invocation)
    if settings.plugins.observers:
        from batchcore.observing import Observing

        invocation.observing = Observing(settings.plugins.observers, invocation.report)
    invocation.ready = True


def _list_of(records: Any) -> list[Any]:
    if type(records) is not list and (_is_one_of(records, str, bytes, dict) or not hasattr(records, "__getitem__")):
        raise UnexpectedBatchTypeError(
            f"A batch is a list of records, not {kind_of(records)}. Pass event['Records'], or use "
            "process_partial_response(event, ...)."
        )
    return [*records]


def _is_one_of(value: object, *kinds: type[Any]) -> bool:
    return isinstance(value, kinds)


def _identifiers(source: Source, records: list[Any]) -> Sequence[Any]:
    try:
        identifiers = source.identify_records(records)
    except (PluginError, RecordIdentityError):
        raise
    except Exception as error:
        raise RecordIdentityError(
            f"The source {source.name!r} cannot identify the records: {type(error).__name__}. Are they the raw records "
            "of this source?"
        ) from error
    given = len(identifiers) if hasattr(identifiers, "__len__") else "no list of"
    if given != len(records):
        raise PluginError(
            f"identify_records() of source {source.name!r} gave {given} identifiers for {len(records)} records.",
            plugin=source.plugin,
            hook="identify_records",
        )
    if not all(identifiers):
        _refuse_empty(source, identifiers)
    return identifiers


def _refuse_empty(source: Source, identifiers: Sequence[Any]) -> None:
    """Refuse an identifier that is empty: to AWS an answer with one means that the whole batch failed. None is none."""
    for position, identifier in enumerate(identifiers):
        if identifier is not None and not identifier:
            raise RecordIdentityError(
                f"The source {source.name!r} gave an empty identifier for record {position} of the batch, counting "
                "from 0, so no answer could name it.",
                position=position,
            )


def start(invocation: Invocation) -> None:
    """Tell the observers that the records start."""
    if invocation.observing is not None:
        invocation.observing.batch_started(invocation)


def run_lanes(invocation: Invocation) -> None:
    """Run all records in this thread, one by one, in the order of the batch."""
    ordering = invocation.ordering
    # A source's own keys matter one by one only where a failure stops; a key function of the caller's may fail, too.
    plain = not ordering.stops and (ordering.key is None or invocation.settings.ordering is None)
    run_places(invocation, enumerate(invocation.records) if plain else places(invocation))
    if invocation.stopped:
        skip_the_rest(invocation)


def run_places(invocation: Invocation, some: Iterable[Place]) -> None:
    """Run some of the records one by one: each inside its own guard, each slot filled before the next starts."""
    call, values = invocation.call, invocation.values
    decode: Any = invocation.decode if invocation.prepare is None else _prepared_first(invocation.prepare, invocation)
    on_success, observing = invocation.on_success, invocation.observing
    scoped = observing.scoped(call, invocation.records) if observing and observing.watches_records else None
    # A view that does nothing of its own when it is made is made in the loop, without the call.
    view = quick_class(decode) if isinstance(decode, type) else None
    succeeded = 0
    known_kind: Any = NoneType
    try:
        for position, record in some:
            data: Any = NOT_PROCESSED
            try:
                if view is None:
                    data = decode(record)
                else:
                    data = view()
                    data.raw_event = record
                value: Any = call(data) if scoped is None else scoped(position, data)
                if type(value) is not known_kind:
                    known_kind = plain_kind(value)
                if on_success is not None:
                    on_success(record, value)
            except BaseException as error:
                invocation.failed(position, data, error)
                if invocation.stopped:
                    return
            else:
                values[position] = value
                succeeded += 1
                if observing is not None:
                    invocation.tell_finished(position)
    finally:
        invocation.succeeded += succeeded


def _prepared_first(prepare: Callable[[Any], Any], invocation: Invocation) -> Callable[[Any], Any]:
    """Put the preparer before the decoder."""
    decode = invocation.decode

    def prepare_and_decode(record: Any) -> Any:
        prepared = prepare(record)
        if is_awaitable(prepared):
            raise unawaited(prepared)
        return decode(prepared)

    return prepare_and_decode


def places(invocation: Invocation) -> Iterable[Place]:
    """Give position and record of all that may run, one by one: what a stopped lane still holds is passed over."""
    key = invocation.ordering.key
    if key is None:
        return lane_places(invocation, range(len(invocation.values)))
    return _places_by_key(invocation, key)


def _places_by_key(invocation: Invocation, key: Callable[[Record], Hashable]) -> Iterator[Place]:
    """Walk the batch with a set of stopped keys: running one by one needs no lists of lanes."""
    stopped: set[Hashable] = set()
    failures, values, stops = invocation.failures, invocation.values, invocation.ordering.stops
    for position, record in enumerate(invocation.records):
        try:
            lane = key(record)
            has_stopped = lane in stopped  # hashes it
        except BaseException as error:
            invocation.failed(position, NOT_PROCESSED, error)
            continue
        if has_stopped:
            invocation.not_attempted(position)
            continue
        yield position, record
        if stops and position in failures and lane is not None and values[position] is NOT_PROCESSED:
            stopped.add(lane)


def lane_places(invocation: Invocation, lane: Iterable[int]) -> Iterator[Place]:
    """Give position and record of one lane, until it stops; the rest of it is not attempted."""
    records, stops = invocation.records, invocation.ordering.stops
    positions = iter(lane)
    for position in positions:
        if invocation.stopped:
            return
        yield position, records[position]
        if stops and invocation.unfinished(position):
            break
    for position in positions:
        invocation.not_attempted(position)


def lanes(invocation: Invocation) -> Iterable[Iterable[int]]:
    """Group the positions into lanes, for drivers that run lanes side by side."""
    ordering, records = invocation.ordering, invocation.records
    if not ordering.lanes:
        return ((position,) for position in range(len(records)))
    if ordering.key is None:
        return (range(len(records)),)
    by_key: dict[Hashable, list[int]] = {}
    for position, record in enumerate(records):
        try:
            lane = ordering.key(record)
            by_key.setdefault(object() if lane is None else lane, []).append(position)
        except BaseException as error:
            invocation.failed(position, NOT_PROCESSED, error)
    return by_key.values()


def skip_the_rest(invocation: Invocation) -> None:
    """Mark every record that has not run as not attempted."""
    failures = invocation.failures
    for position, value in enumerate(invocation.values):
        if value is NOT_PROCESSED and position not in failures:
            invocation.not_attempted(position)


def finish(invocation: Invocation, *, may_raise: bool = True) -> None:
    """Build the response, then decide whether to raise.

    Args:
        invocation: the batch.
        may_raise: False where another exception is on its way already.

    Raises:
        BatchProcessingError: no record is done and at least one failed, unless the processor was told not to raise.
        WholeBatchRetry: the source has no partial answer.
    """
    settings = invocation.settings
    invocation.response = answer_to(invocation)
    invocation.finished = True
    if invocation.observing is not None:
        invocation.observing.batch_finished(invocation.result)
    # The result may outlive the processor: let go of what is the processor's, and of what points back at the batch.
    invocation.on_success = invocation.on_failure = invocation.messages = invocation.observing = None
    invocation.log = None
    invocation.call = as_it_is
    if not invocation.failures:
        return
    if may_raise and settings.raise_on_entire_batch_failure and _entirely_failed(invocation):
        raise _whole_batch_error(invocation)
    for failure in invocation.failures.values():
        if failure is not UNTOLD:
            release_frames(failure.exception)


def answer_to(invocation: Invocation) -> Any:
    """Let the source build the answer.

    Raises:
        PluginError: it gave None, which AWS reads as the success of every record.
    """
    source = invocation.settings.source
    response = source.build_response(invocation, Outcomes(invocation))
    if response is None:
        raise _wrong_hook(invocation, "build_response", "the answer for AWS", None)
    return response


def _entirely_failed(invocation: Invocation) -> bool:
    """No record is done, and a handler or a decoder failed: one not attempted is no failure of its own."""
    undone = all(value is NOT_PROCESSED for value in invocation.values)
    return undone and any(failure.status == FAILED for failure in invocation.failures.values())


def _whole_batch_error(invocation: Invocation) -> BatchProcessingError:
    """Make the error, which alone keeps the frames alive: they go when it goes."""
    failures = sorted(invocation.failures.items())
    exceptions = [invocation.failure(position, failure).exception for position, failure in failures]
    from batchcore.report import whole_batch_message

    error = BatchProcessingError(
        whole_batch_message(invocation, invocation.failures), [exception_info(e) for e in exceptions], invocation.result
    )
    error.__cause__ = _grouped(exceptions)

    def release(_: object) -> None:
        for exception in exceptions:
            release_frames(exception)

    invocation.error = weakref.ref(error, release)
    return error


def _grouped(exceptions: list[BaseException]) -> BaseException:
    """Group the records' exceptions where Python can; the first stands for all where it cannot (3.10)."""
    group: Any = getattr(builtins, "BaseExceptionGroup", None)
    return exceptions[0] if group is None else group("the records of the batch", exceptions)


def _check_given(invocation: Invocation) -> None:
    """Check what the hooks of the source gave for this batch."""
    if not isinstance(invocation.ordering, Ordering):
        raise _wrong_hook(invocation, "ordering_policy", "an Ordering", invocation.ordering)
    if not callable(invocation.view):
        raise _wrong_hook(invocation, "record_decoder", "a callable", invocation.view)


def _wrong_hook(invocation: Invocation, hook: str, wanted: str, given: object) -> PluginError:
    source = invocation.settings.source
    return PluginError(
        f"{hook}() of source {source.name!r} gives {wanted}, not {given!r}.", plugin=source.plugin, hook=hook
    )


def _unexpected(source: Source, event: Any) -> UnexpectedBatchTypeError:
    keys = f"with {', '.join(map(text_of, event)) or 'no keys'}" if _is_one_of(event, dict) else ""
    return UnexpectedBatchTypeError(
        f"The source {source.name!r} does not claim this event, a {kind_of(event)} {keys}".rstrip()
        + ". Is the processor made for this event source, are all records of one source, and is this the event as "
        "Lambda delivered it?"
    )


def plain_kind(value: object) -> type[Any]:
    """Give the type of what a handler returned.

    Raises:
        UnawaitedResultError: it is an awaitable or a generator, so the handler's work is not done.
    """
    kind: type[Any] = type(value)  # what a proxy stands for is not asked: that may run something, or raise
    if is_awaitable(value) or issubclass(kind, (GeneratorType, AsyncGeneratorType)):
        raise unawaited(value)
    return kind


def unawaited(value: Any) -> UnawaitedResultError:
    """Make the error of a record whose handler gave something that nobody awaits, and close it."""
    discard(value)
    return UnawaitedResultError(
        f"The handler gave a {kind_of(value)}, which nobody runs, so its work was not done. A coroutine needs an async "
        "handler that awaits it, and AsyncBatchProcessor with async_process_partial_response()."
    )
