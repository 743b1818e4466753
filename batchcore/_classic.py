"""What users of another library bring along: processors from scratch, whose methods return entries; and decorators."""

from __future__ import annotations

import warnings
from functools import wraps

from batchcore._attributes import Current, fail_entry
from batchcore.callables import close_unawaited, is_deferred, type_name
from batchcore.engine import run_one_by_one
from batchcore.errors import ConfigurationError, EntryFailedError, UnawaitedResultError, exception_info, is_entry
from batchcore.ledger import NOT_PROCESSED
from batchcore.options import refuse_processor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol, TypeVar

    from batchcore._attributes import Session
    from batchcore._concurrency.loops import Interruption
    from batchcore.plan import Run
    from batchcore.types import Gets, Handler, ProcessorOf

    LambdaHandler = TypeVar("LambdaHandler", bound=Callable[..., Any])

    class FromScratch(Protocol):
        """A processor from scratch: :class:`batchcore.BasePartialProcessor`, as far as it is needed here."""

        max_concurrency: int

        def _process_record(self, record: Any) -> Any: ...
        async def _async_process_record(self, record: Any) -> Any: ...


def check_defines(processor: FromScratch, base: type[FromScratch], awaits: bool) -> None:
    """Check that a processor from scratch defines the method that a call needs."""
    name = "_async_process_record" if awaits else "_process_record"
    if getattr(type(processor), name) is getattr(base, name):
        how = "async" if awaits else "synchronous"
        raise ConfigurationError(f"{type(processor).__name__} defines no {name}(), which {how} calls need.")


def drive(processor: FromScratch, run: Run) -> None:
    """Run the records one by one."""
    run.call = lambda record: _checked(processor._process_record(record))
    run_one_by_one(run)


async def drive_async(processor: FromScratch, run: Run, interruption: Interruption | None) -> None:
    """Run the records in tasks."""
    from batchcore._concurrency.tasks import run_in_tasks

    async def call(record: Any) -> Any:
        return _checked(await processor._async_process_record(record))

    run.call = call
    await run_in_tasks(run, processor.max_concurrency, interruption)


def _checked(entry: Any) -> Any:
    """Return an entry that is a success; anything else is a failure."""
    if is_entry(entry, "success"):
        result = entry[1] if len(entry) > 1 else None
        if is_deferred(result):  # an async handler that was called and not awaited: its work is not done
            close_unawaited(result)
            raise UnawaitedResultError(
                f"The entry of a success holds a {type_name(result)}, which nobody runs, so its work was not done. An "
                "async handler is awaited in _async_process_record()."
            )
        return entry
    if is_deferred(entry):  # forgotten to be awaited: nobody will
        close_unawaited(entry)
    raise EntryFailedError(entry)


def entries_of(session: Session) -> list[Any]:
    """Return the entries of a batch, as the processor gave them."""
    batch = session.batch
    ledger = batch._ledger
    entries = [ledger.value(position) for position in range(ledger.count)]
    for position in list(ledger.failures):
        error = ledger.failure(position).exception
        entry: Any = error.entry if isinstance(error, EntryFailedError) else None
        entries[position] = entry or fail_entry(exception_info(error), batch.records[position])
    return [None if entry is NOT_PROCESSED else entry for entry in entries]


# -- Decorators.


def batch_processor(
    *, record_handler: Handler[Gets, object], processor: ProcessorOf[Gets]
) -> Callable[[LambdaHandler], LambdaHandler]:
    """Process the batch before the decorated Lambda handler runs. Deprecated: use :func:`process_partial_response`.

    Args:
        record_handler: called with each record.
        processor: the processor, whose ``response()`` the Lambda handler returns.

    Returns:
        The decorator. Where the Lambda handler returns None, the processor's response is returned: to AWS, None would
        mean that every record succeeded.
    """
    return _decorator("batch_processor", "process_partial_response", record_handler, processor, awaits=False)


def async_batch_processor(
    *, record_handler: Handler[Gets, object], processor: ProcessorOf[Gets]
) -> Callable[[LambdaHandler], LambdaHandler]:
    """As :func:`batch_processor`, for async handlers. Deprecated: use :func:`async_process_partial_response`."""
    return _decorator("async_batch_processor", "async_process_partial_response", record_handler, processor, awaits=True)


def _decorator(
    name: str, instead: str, record_handler: Callable[..., Any], processor: Any, *, awaits: bool
) -> Callable[[Any], Any]:
    if not isinstance(getattr(processor, "_current", None), Current):
        refuse_processor(processor)
    warnings.warn(f"{name} is deprecated; use {instead}().", DeprecationWarning, stacklevel=3)

    def decorate(lambda_handler: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(lambda_handler)
        def handle(event: Any, context: Any = None, *args: Any, **kwargs: Any) -> Any:
            session = processor._run(event, record_handler, context, awaits=awaits)
            response = processor._respond(session)
            returned = processor._current.call_showing(session, lambda_handler, event, context, *args, **kwargs)
            return response if returned is None else returned

        return handle

    return decorate
