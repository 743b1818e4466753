"""The road of a batch, top to bottom: event in, records, lanes, outcomes, response out.

:func:`begin` reads and checks everything that can be wrong before the first record runs. A driver (:func:`run_lanes`
here, its twins in :mod:`batchcore.threads` and :mod:`batchcore.aio`) runs the records, lane by lane. :func:`finish`
builds the response, and only then decides whether to raise. What happens in one invocation lives in its
:class:`batchcore.invocation.Invocation`; nothing here is shared.
"""

from __future__ import annotations

from contextvars import copy_context
from functools import cache
from time import perf_counter
from types import NoneType

from batchcore.errors import (
    ConfigurationError,
    OutOfTimeError,
    PluginError,
    RecordIdentityError,
    UnawaitedResultError,
    UnexpectedBatchTypeError,
    kind_of,
    plain,
)
from batchcore.handler import discard, is_awaitable, runs_later, shown
from batchcore.invocation import Untold
from batchcore.ordering import Ordering
from batchcore.outcome import (
    FAILED,
    NOT_PROCESSED,
    Outcomes,
    release_frames,
)
from batchcore.source import as_it_is
from batchcore.view import quick_class

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import ModuleType
    from typing import Any

    from batchcore.invocation import Invocation, Settings
    from batchcore.lanes import Place
    from batchcore.observing import Scopes
    from batchcore.source import Source
    from batchcore.types import PartialItemFailureResponse, Record


_MOST_KEYS = 20  # of an event, in a message


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
    invocation.ordering = own = source.ordering_policy(invocation)
    if not isinstance(own, Ordering):
        raise _wrong_hook(invocation, "ordering_policy", "an Ordering", own)
    if settings.ordering is not None and not own.mandatory:  # a window must be in order, whatever the caller chose
        invocation.ordering = settings.ordering
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
    if not callable(view):
        raise _wrong_hook(invocation, "record_decoder", "a callable", view)
    if settings.wants_summaries():
        invocation.started_at = perf_counter()
    if not settings.is_plain:
        _begin_with_more(invocation, settings)
    invocation.ready = True


def _begin_with_more(invocation: Invocation, settings: Settings) -> None:
    """Prepare what only some processors need: dead letters, a limit of time, observers."""
    if settings.plugins.delivers is not None:
        from batchcore.dead_letters import DeadLetters

        invocation.letters = DeadLetters(settings.source.by_checkpoint)
    if settings.stop_before is not None and invocation.clock is None:
        raise _no_clock(invocation)
    if settings.plugins.observers:
        from batchcore.observing import Observing

        invocation.observing = Observing(settings.plugins, invocation.report)


def _no_clock(invocation: Invocation) -> ConfigurationError:
    kind = kind_of(invocation.context)
    given = "no context was given" if invocation.context is None else f"the one given, a {kind}, tells none"
    if hasattr(getattr(invocation.context, "lambda_context", None), "get_remaining_time_in_millis"):
        given += ", and its lambda_context does, as in a durable function: pass context.lambda_context"
    return ConfigurationError(
        "stop_before_timeout needs the Lambda context, whose get_remaining_time_in_millis() says how much time is "
        f"left; {given}. Pass the context on: process_partial_response(event, record_handler, processor, context), or "
        "`with processor(records=..., handler=..., lambda_context=context)`."
    )


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
    ordering, settings = invocation.ordering, invocation.settings
    # A source's own keys matter one by one only where a failure stops; a key function of the caller's may fail, too.
    plain = not ordering.stops and (ordering.key is None or ordering is not settings.ordering)
    some: Iterable[Place] = enumerate(invocation.records)
    if not plain or settings.stop_before is not None:
        lanes = _lanes()
        some = some if plain else lanes.places(invocation)
        some = some if settings.stop_before is None else lanes.in_time(invocation, some)
    scoped = None
    if invocation.held_open:
        from batchcore.around import around

        scoped = around(invocation)
    invocation.succeeded += run_places(invocation, some, scoped)
    if invocation.stopped:
        _lanes().skip_the_rest(invocation)


@cache
def _lanes() -> ModuleType:
    """Give the rules of lanes, imported by the first batch that needs them: an import per batch costs too much."""
    from batchcore import lanes

    return lanes


def run_places(  # noqa: C901, PLR0912 - one loop: each further function would cost every record
    invocation: Invocation, some: Iterable[Place], scoped: Callable[[int, Any], Any] | None
) -> int:
    """Run some of the records one by one: each inside its own guard, each slot filled before the next starts.

    Args:
        invocation: the batch.
        some: position and record of each.
        scoped: takes the position and what the handler gets, and calls it with all that is held open around it; None
            where nothing is.

    Returns:
        How many succeeded.
    """
    call, values = invocation.call, invocation.values
    decode: Any = invocation.decode if invocation.prepare is None else _prepared_first(invocation.prepare, invocation)
    on_success, observing = invocation.on_success, invocation.observing
    scoping = observing if observing is not None and observing.watches_records else None
    # A view that does nothing of its own when it is made is made in the loop, without the call.
    view = quick_class(decode) if isinstance(decode, type) else None
    succeeded = 0
    known_kind: Any = NoneType
    failed_before = invocation.failed_before or ()
    scopes: Scopes | None = None
    copy = copy_context().copy
    for position, record in some:
        data: Any = NOT_PROCESSED
        # What one record sets in context variables, such as the keys of its log lines, no other has.
        context = copy()
        try:
            if view is None:
                data = context.run(decode, record)
            else:
                data = view()
                data.raw_event = record
            if scoping is not None and position not in failed_before:
                scopes = context.run(scoping.enter, record)
            value: Any = context.run(call, data) if scoped is None else context.run(scoped, position, data)
            if type(value) is not known_kind:
                known_kind = plain_kind(value)
            if on_success is not None and not invocation.cut_loose:
                context.run(on_success, record, value)
        except BaseException as error:
            try:
                context.run(invocation.failed, position, data, error)
                waits = invocation.letters is not None and context.run(_waits, invocation, position)
            finally:
                if scoping is not None and scopes:
                    context.run(scoping.leave, scopes, error)
                    scopes = None
            if not waits and invocation.stopped:
                break
        else:
            values[position] = value
            succeeded += 1
            if observing is not None:
                try:
                    context.run(invocation.tell_finished, position)
                finally:
                    if scoping is not None and scopes:
                        context.run(scoping.leave, scopes, None)
                        scopes = None
    return succeeded


def _waits(invocation: Invocation, position: int) -> bool:
    """Deliver a dead letter of a lane. Say whether that has to wait for other lanes, and this lane with it."""
    letters = invocation.letters
    if letters is None or position not in letters.in_lanes:
        return False
    from batchcore.delivering import deliver_now

    deliver_now(invocation, position)
    return position in letters.in_lanes


def _prepared_first(prepare: Callable[[Any], Any], invocation: Invocation) -> Callable[[Any], Any]:
    """Put the preparer before the decoder."""
    decode = invocation.decode

    def prepare_and_decode(record: Any) -> Any:
        prepared = prepare(record)
        if is_awaitable(prepared):
            raise unawaited(prepared)
        return decode(prepared)

    return prepare_and_decode


def finish(invocation: Invocation, *, may_raise: bool = True) -> None:
    """Build the response, let the plugins know, then decide whether to raise.

    Args:
        invocation: the batch.
        may_raise: False where another exception is on its way already.

    Raises:
        BatchProcessingError: no record is done and at least one failed, unless the processor was told not to raise.
        WholeBatchRetry: the source has no partial answer.
    """
    invocation.response = answer_to(invocation)
    invocation.finished = True
    if invocation.started_at is not None or not invocation.settings.is_plain:
        from batchcore.calls import make
        from batchcore.ending import after_answer

        make(invocation, after_answer(invocation))
    conclude(invocation, may_raise=may_raise)


def conclude(invocation: Invocation, *, may_raise: bool = True) -> None:
    """Let go of what only the batch needed, and decide whether to raise."""
    # The result may outlive the processor: let go of what is the processor's, and of what points back at the batch.
    invocation.on_success = invocation.on_failure = invocation.messages = invocation.observing = None
    invocation.log = None
    invocation.call = as_it_is
    if invocation.held_open:
        invocation.binding = invocation.arguments = invocation.failed_before = None
    if invocation.letters is not None:
        for problem in invocation.letters.problems.values():
            release_frames(problem)
    if not invocation.failures:
        return
    if may_raise and invocation.settings.raise_on_entire_batch_failure and _entirely_failed(invocation):
        from batchcore.whole_batch import whole_batch_error

        raise whole_batch_error(invocation)
    for failure in invocation.failures.values():
        if not isinstance(failure, Untold):
            release_frames(failure.exception)


def answer_to(invocation: Invocation) -> PartialItemFailureResponse:
    """Let the source build the answer.

    Raises:
        PluginError: it gave None, which AWS reads as the success of every record.
    """
    source = invocation.settings.source
    response: PartialItemFailureResponse | None = source.build_response(invocation, Outcomes(invocation))
    if response is None:
        raise _wrong_hook(invocation, "build_response", "the answer for AWS", None)
    return response


def _entirely_failed(invocation: Invocation) -> bool:
    """No record is done, and a handler or a decoder failed: one that had no time, or no turn, has not."""
    undone = all(value is NOT_PROCESSED for value in invocation.values)
    return undone and any(
        failure.status == FAILED and not isinstance(failure.exception, OutOfTimeError)
        for failure in invocation.failures.values()
    )


def _wrong_hook(invocation: Invocation, hook: str, wanted: str, given: object) -> PluginError:
    source = invocation.settings.source
    return PluginError(
        f"{hook}() of source {source.name!r} gives {wanted}, not {shown(given)}.", plugin=source.plugin, hook=hook
    )


def _unexpected(source: Source, event: Any) -> UnexpectedBatchTypeError:
    from batchcore.shapes import advice_on, said_of

    keys = f" with {_keys_of(event) or 'no keys'}" if _is_one_of(event, dict) else ""
    said = said_of(event)
    what = f" It is {said}." if said else ""
    advice = advice_on(event) or (
        "Is the processor made for this event source, are all records of one source, and is this the event as Lambda "
        "delivered it?"
    )
    return UnexpectedBatchTypeError(
        f"The source {source.name!r} does not claim this event, a {kind_of(event)}{keys}.{what} {advice}"
    )


def _keys_of(event: Any) -> str:
    keys = list(event)
    more = f" and {len(keys) - _MOST_KEYS} more" if len(keys) > _MOST_KEYS else ""
    return ", ".join(plain(key, 60) for key in keys[:_MOST_KEYS]) + more


def plain_kind(value: object) -> type[Any]:
    """Give the type of what a handler returned.

    Raises:
        UnawaitedResultError: it is an awaitable or a generator, so the handler's work is not done.
    """
    if runs_later(value):
        raise unawaited(value)
    return type(value)


def unawaited(value: Any) -> UnawaitedResultError:
    """Make the error of a record whose handler gave something that nobody awaits, and close it."""
    discard(value)
    return UnawaitedResultError(
        f"The handler gave a {kind_of(value)}, which nobody runs, so its work was not done. A coroutine needs an async "
        "handler that awaits it, and AsyncBatchProcessor with async_process_partial_response()."
    )
