"""The engine: one batch, top to bottom. Event in, records, lanes, outcomes, response out.

:func:`read` takes records and identifiers from an event, and raises everything that is not one record's fault.
The function :func:`run_one_by_one` runs the records in this thread; drivers in :mod:`batchcore._concurrency` run them
side by side, by the same guarded loop or its twin for tasks. Then :func:`respond` lets the source build the response,
and only :func:`conclude` decides whether to raise. What a processor was told is its :class:`batchcore.plan.Plan`, what
happens in one batch lives in its :class:`batchcore.plan.Run`.
"""

from __future__ import annotations

from contextvars import copy_context
from types import NoneType

from batchcore.callables import describe_value, identity, type_name

# isort: off
from batchcore.errors import (
    ConfigurationError, NoBatchError, PluginError, RecordIdentityError, UnexpectedBatchTypeError, WholeBatchRetry,
    raise_if_steering, release_frames,
)  # fmt: skip # one name a line would be a page

# isort: on
from batchcore.ledger import LANE_STOPPED, NOT_PROCESSED, SKIPPED, Ledger, plain_kind, prepared_first
from batchcore.model import Batch, Ordering, Outcomes, batch_item_failures, response_naming
from batchcore.source import count_references, quick_class, quick_classes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
    from contextvars import Context
    from typing import Any, TypeAlias

    from batchcore.model import Outcome
    from batchcore.plan import Plan, Run
    from batchcore.source import Source
    from batchcore.types import Lane, PartialItemFailureResponse, Record

    HandlerCall: TypeAlias = Callable[[Any], Any]


# -- Reading: everything that can be wrong is raised here, before the first record.


def read(run: Run, event: Any, records: Sequence[Record] | None = None) -> None:
    """Read an event, or records alone, as the context manager has them.

    Raises:
        UnexpectedBatchTypeError: the event is not the source's, or not all of it; or the records are no list.
        RecordIdentityError: a record cannot be named.
        PluginError: a hook of the source gives what it must not.
    """
    plan = run.plan
    source = plan.source
    found = None if records is not None or source.read_plain is None else source.read_plain(event)
    batch = Batch()
    batch._event, batch._context, batch.source_state = event, run.context, None
    batch._facts = source  # pyright: ignore[reportAttributeAccessIssue]  # it takes a callable in a slot for a method
    if found is None:
        batch._records = listed = _list_of(_extracted(source, event) if records is None else records)
        batch._identifiers = _identifiers(source, listed)
        ordering, view, batch._respond = None, None, source.build_response
    else:  # and what a source says of every batch it need not be asked again
        listed, batch._identifiers = found
        batch._records = listed
        ordering, view, batch._respond = source.plain_ordering, source.plain_view, source.plain_response
    if ordering is None:
        ordering = source.ordering_policy(batch)
        if type(ordering) is not Ordering:  # which is final
            raise _wrong_hook(source, "ordering_policy", "an Ordering", ordering)
    if plan.ordering is not None and not ordering.mandatory:  # a window must be in order, whatever the caller chose
        ordering = plan.ordering
    batch._ledger = Ledger(len(listed), ordering.not_attempted)
    if view is None:
        view = source.record_decoder(batch)
        if not callable(view):
            raise _wrong_hook(source, "record_decoder", "a callable", view)
    batch._view = run.decode = view
    run.ordering, run.batch = ordering, batch
    if plan.has_more:
        _read_more(run, plan, batch)


def _read_more(run: Run, plan: Plan, batch: Batch) -> None:
    """Prepare what only some processors need."""
    source, ledger = plan.source, batch._ledger
    if plan.validate is not None:
        run.decode = plan.validate()
    if source.prepares:
        prepare = source.record_preparer(batch)
        if not callable(prepare):
            raise _wrong_hook(source, "record_preparer", "a callable", prepare)
        if prepare is not identity:
            run.surrounded().prepare = prepare
    if plan.calls is not None and plan.plugins is not None:
        ledger.may_undo = bool(plan.plugins.after_records)
    if plan.dead_letters is not None:
        ledger.dead_letters = plan.dead_letters(source.acknowledgement, run.ordering)
    if plan.stop_before is not None and run.clock is None:
        from batchcore.deadline import no_clock

        raise no_clock(run.context)
    if plan.observe is not None:
        run.surrounded().observers = plan.observe(run)


def _extracted(source: Source, event: Any) -> Any:
    cause = None
    try:
        claimed = source.claims_event(event)
    except PluginError:
        raise
    except Exception as error:
        claimed, cause = False, error
    if not claimed:
        from batchcore.recognition import unexpected

        raise unexpected(source, event) from cause
    return source.extract_records(event)


def _list_of(records: Any) -> list[Any]:
    if type(records) is not list and (isinstance(records, _NO_LISTS) or not hasattr(records, "__getitem__")):
        raise UnexpectedBatchTypeError(
            f"A batch is a list of records, not {type_name(records)}. Pass event['Records'], or use "
            "process_partial_response(event, ...)."
        )
    return [*records]  # a handler that changes the event's list moves no outcome


_NO_LISTS: Any = (str, bytes, dict)


def _identifiers(source: Source, records: list[Any]) -> Sequence[Any]:
    try:
        identifiers = source.identify_records(records)
    except (PluginError, RecordIdentityError):
        raise
    except Exception as error:
        message = f"The source {source.name!r} cannot identify the records: {type(error).__name__}."
        raise RecordIdentityError(f"{message} Are they the raw records of this source?") from error
    given = len(identifiers) if hasattr(identifiers, "__len__") else "no list of"
    if given != len(records):
        message = f"identify_records() of source {source.name!r} gave {given} identifiers for {len(records)} records."
        raise PluginError(message, plugin=source.plugin, hook="identify_records")
    if not hasattr(identifiers, "are_checked") and not all(identifiers):  # to look at those would be to make them
        from batchcore.recognition import refuse_empty

        refuse_empty(source, identifiers)
    return identifiers


def _wrong_hook(source: Source, hook: str, wanted: str, given: object) -> PluginError:
    message = f"{hook}() of source {source.name!r} gives {wanted}, not {describe_value(given)}."
    return PluginError(message, plugin=source.plugin, hook=hook)


# -- Running: each record inside its own guard, its outcome written down before the next one starts.


def run_one_by_one(run: Run) -> None:
    """Run all records in this thread, one by one, in the order of the batch; what a stopped lane holds is skipped."""
    ordering, ledger = run.ordering, run.batch._ledger
    values, stops = ledger.values, ordering.stops
    if values:
        raise NoBatchError("The records of this batch are being processed already.")
    records: Iterable[Record] = run.batch._records
    key, late = ordering.key, None
    if key is not None:
        # A source's own keys matter one by one only where a failure stops; a key function of a caller's may fail, too.
        # Where identifiers tell the lanes, which no handler changes, none is asked for before a record has failed: that
        # is 40 % of what a record of Kafka would cost.
        is_own = ordering is not run.plan.ordering
        late = ordering.of_identifier if is_own and stops and ledger.dead_letters is None else None
        if late is None and (stops or not is_own):
            records, stops = _walk(run, ledger, key), False
    while True:
        timed = records if run.plan.stop_before is None else _until_time_is_up(ledger, records, run.clock.is_up)  # type: ignore[union-attr]  # read() saw that there is one
        run_isolated(run, ledger, timed, values, stops, copy_context())
        if late is None or ledger.stop is not None or len(values) == ledger.count:
            break
        records, stops, late = _walk(run, ledger, late), False, None
    if len(values) != ledger.count:
        reason = LANE_STOPPED if ledger.stop is None else SKIPPED[ledger.stop]
        for position in range(len(values), ledger.count):
            values.append(NOT_PROCESSED)
            run.skip(ledger, position, reason)
    ledger.is_complete = True


def _walk(run: Run, ledger: Ledger, key: Callable[[Record], Hashable]) -> Iterator[Record]:
    """Yield the records whose lanes have not stopped. One by one, a set of stopped keys will do for lanes."""
    stopped: set[Hashable] = set()
    values, stops, records = ledger.values, run.ordering.stops, run.batch._records
    if values:  # records have run, and the last of them has failed: identifiers tell the lanes, from there on
        lanes = map(key, run.batch._identifiers[len(values) - 1 :])
        stopped, records = {next(lanes)} - {None}, records[len(values) :]
        key = lambda _: next(lanes)  # noqa: E731 - it takes the place of the other
    for record in records:
        try:
            has_stopped = (lane := key(record)) in stopped  # hashes it
        except BaseException as error:
            values.append(NOT_PROCESSED)
            run.fail(ledger, len(values) - 1, NOT_PROCESSED, error)
            if run.plan.deliver is not None:
                run.plan.deliver(run, ledger, len(values) - 1)
            if ledger.stop is not None:
                return
            continue
        if has_stopped:
            values.append(NOT_PROCESSED)
            run.skip(ledger, len(values) - 1, LANE_STOPPED)
            continue
        yield record
        if stops and values[-1] is NOT_PROCESSED and lane is not None:
            stopped.add(lane)


def _until_time_is_up(ledger: Ledger, records: Iterable[Record], is_up: Callable[[], bool]) -> Iterator[Record]:
    for record in records:
        if is_up():
            ledger.stop = "time"
            return
        yield record


def run_isolated(
    run: Run, ledger: Ledger, records: Iterable[Record], outcomes: list[Any] | Lane, stops: bool, context: Context
) -> None:
    """Run some records one after the other, each with the context variables of the batch.

    What one record sets in context variables, such as the keys of its log lines, no other has. Most set none: so they
    share a copy of the context, until it is no longer what it was. A copy for each would cost 90 ns a record.

    Args:
        run: the batch.
        ledger: where their outcomes are written down.
        records: the raw records.
        outcomes: what the handler of each returned is appended to it. Its length is the position of the record that
            runs. (Its method is called where it stands, which costs a third of a method that was looked up before.)
        stops: whether the first that is not done is the last.
        context: the context variables of the batch.
    """
    decode: Any = run.decode
    call, around, some, scopes = run.call, run.around, iter(records), None
    if around is not None:
        if around.prepare is not None:
            decode = prepared_first(around.prepare, decode, run.plan.mend)
        call, scopes = around.surround(run, ledger, outcomes)
    # A view that does nothing of its own when it is made is made in the loop, without a call.
    view = (quick_classes.get(decode) or quick_class(decode)) if type(decode) is type else None
    is_last = False
    while not is_last:
        mine = context.copy()
        is_last = mine.run(_run_records, run, ledger, some, call, scopes, outcomes, stops, decode, view, mine, context)


def _run_records(  # noqa: C901, PLR0912, PLR0915, PLR0917 - one loop: each further function would cost every record
    run: Run,
    ledger: Ledger,
    records: Iterator[Record],
    call: HandlerCall,
    scopes: list[Any] | None,
    outcomes: list[Any] | Lane,
    stops: bool,
    decode: Callable[[Any], Any],
    view: type[Any] | None,
    mine: Context,
    whole: Context,
) -> bool:
    """Run records until one has set a context variable. Return whether that was the last."""
    observers = None if run.around is None else run.around.observers
    known_kind = NoneType
    mend = None if run.around is not None and run.around.prepare is not None else run.plan.mend
    # A view that nobody has kept shows the next record, too: 30 ns less than a new one, of 200. Whether somebody has is
    # told by its count of references, compared with what it was before anything of others has run.
    held, alone = None, 0
    if view is not None and view._is_reusable:
        held = view()
        held.raw_event = None
        alone = count_references(held)
    for record in records:
        data: Any = NOT_PROCESSED
        try:
            if held is not None:
                if count_references(held) != alone or held.raw_event is record:  # the same again may have been decoded
                    held = view()  # type: ignore[misc]  # there is one where something is held
                data = held
                data.raw_event = record
            elif view is not None:
                data = view()
                data.raw_event = record
            elif mend is None:
                data = decode(record)
            else:
                refused: ValueError | None = None
                try:
                    data = decode(record)
                except ValueError as error:
                    refused = error
                if refused is not None:  # out of the guard, so that it is not chained to what is raised
                    data = mend(decode, record, refused)
            value = call(data)
            if value is not None and type(value) is not known_kind:
                known_kind = plain_kind(value)
        except BaseException as error:
            position = len(outcomes)
            outcomes.append(NOT_PROCESSED)  # its place: that of the next record is behind it, whatever happens here
            try:
                run.fail(ledger, position, data, error)
                waits = run.plan.deliver is not None and run.plan.deliver(run, ledger, position)
            finally:
                if scopes and observers is not None:
                    observers.leave(scopes, error)
            if not waits and (ledger.stop is not None or (stops and ledger.values[position] is NOT_PROCESSED)):
                return True
        else:
            if observers is None:
                outcomes.append(value)
            else:
                position = len(outcomes)
                outcomes.append(value)
                try:
                    if ledger.is_mine_to_tell(position):
                        observers.record_finished(position)
                finally:
                    if scopes:
                        observers.leave(scopes, None)
        try:
            if mine == whole:
                continue
        except BaseException as error:  # values that cannot be compared, such as arrays
            raise_if_steering(error)
        return False
    return True


# -- Responding: the response is ready before anything decides to raise.


def respond(run: Run) -> PartialItemFailureResponse:
    """Let the source build the response.

    Raises:
        PluginError: it gave None, which AWS reads as the success of every record.
        WholeBatchRetry: the source has no partial response.
    """
    batch, ledger = run.batch, run.batch._ledger

    def fail(which: Outcome | int, exception: BaseException) -> None:
        position: Any = getattr(which, "position", which)
        if position not in range(ledger.count) or not batch.outcomes.has_succeeded(position):
            raise ConfigurationError(f"fail() takes a record that succeeded, not {describe_value(which)}.")
        ledger.may_undo = True  # nobody shows it among the successes any more
        ledger.undo(position)
        run.fail(ledger, position, NOT_PROCESSED, exception)

    response: PartialItemFailureResponse | None = batch._respond(batch, Outcomes(batch), fail)
    if response is None:
        raise _wrong_hook(run.plan.source, "build_response", "the response for AWS", None)
    return response


def answer(run: Run) -> None:
    """Let the source build the response; where it raises in its place, keep the error until the batch has ended.

    Raises:
        PluginError: it gave None, which AWS reads as the success of every record.
    """
    try:
        run.response = respond(run)
    except WholeBatchRetry as error:
        run.batch._ledger.is_refused = True
        run.refusal = error.with_traceback(None)  # its frames lead back to it


def finish(run: Run, may_raise: bool = True) -> None:
    """Build the response, do what comes then, and decide whether to raise.

    Args:
        run: the batch.
        may_raise: False where another exception is on its way already.

    Raises:
        BatchProcessingError: no record is done and at least one failed, unless the processor was told not to raise.
        WholeBatchRetry: the source has no partial response.
    """
    batch, ledger = run.batch, run.batch._ledger
    if batch._respond is not batch_item_failures:
        answer(run)
    elif ledger.is_complete and not ledger.failures:
        run.response = {"batchItemFailures": []}  # as it would be, for a fifth of the cost: 7 % of a batch of one
    else:  # and here for half of it: a tenth of what the first failure of a batch costs
        run.response = response_naming(batch, ledger.unfinished())
    plan, around, report = run.plan, run.around, run._report
    observed = around is not None and around.observers is not None
    if observed or run.started_at is not None or plan.late or ledger.stop is not None or (report and report.kinds):
        plan.end(run)
    if ledger.failures or run.refusal is not None:
        conclude(run, may_raise)


def conclude(run: Run, may_raise: bool = True) -> None:
    """Let go of frames that only the batch needed, and decide whether to raise."""
    ledger, refusal, run.refusal = run.batch._ledger, run.refusal, None
    if not ledger.failures and refusal is None:
        return
    if ledger.dead_letters is not None:
        for problem in ledger.dead_letters.problems.values():
            release_frames(problem)
    if may_raise and (refusal is not None or (run.plan.raises and ledger.has_entirely_failed())):
        from batchcore.results import whole_batch_error

        try:
            raise whole_batch_error(run.batch, run.response, refusal)
        finally:
            del refusal  # which its own frames would keep
    ledger.release()
