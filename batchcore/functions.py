"""The one-call functions and the legacy decorators."""

from __future__ import annotations

import warnings
from functools import wraps

from batchcore.errors import ConfigurationError
from batchcore.handler import shown
from batchcore.partial import BasePartialProcessor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn, TypeVar

    from batchcore.types import PartialItemFailureResponse

    Handler = TypeVar("Handler", bound=Callable[..., Any])


def process_partial_response(
    event: Any, record_handler: Callable[..., Any], processor: BasePartialProcessor, context: Any = None
) -> PartialItemFailureResponse:
    """Process a batch and give the answer that reports the records which failed.

    Args:
        event: the Lambda event.
        record_handler: called with each record, and with ``lambda_context`` if it has such a parameter.
        processor: says where the records come from and how they are handled.
        context: the Lambda context.

    Returns:
        The answer, ``{"batchItemFailures": [...]}`` for the sources of AWS. Return it from the Lambda function, whose
        event source mapping must have ``FunctionResponseTypes: [ReportBatchItemFailures]``.

    Raises:
        BatchProcessingError: every record failed, unless the processor was told not to raise.
        UnexpectedBatchTypeError: the event is not the processor's source's.
        ConfigurationError: the handler cannot be called with a record, or the processor is an asynchronous one.
    """
    if not isinstance(processor, BasePartialProcessor):
        _refuse_processor(processor)
    return processor._respond(processor._run_sync(event, record_handler, context))


def async_process_partial_response(
    event: Any, record_handler: Callable[..., Any], processor: BasePartialProcessor, context: Any = None
) -> PartialItemFailureResponse:
    """Process a batch with an async handler and give the answer. A plain function, to be called from a plain handler.

    It waits for the records on an event loop that lives as long as the process. Where a loop is running already, use
    ``(await processor.arun(event, record_handler, context)).response``.

    Arguments, result and errors are those of :func:`process_partial_response`.
    """
    if not isinstance(processor, BasePartialProcessor):
        _refuse_processor(processor)
    return processor._respond(processor._run_async(event, record_handler, context))


def batch_processor(
    *, record_handler: Callable[..., Any], processor: BasePartialProcessor
) -> Callable[[Handler], Handler]:
    """Process the batch before the decorated Lambda handler runs. Deprecated: use :func:`process_partial_response`.

    Args:
        record_handler: called with each record.
        processor: the processor, whose ``response()`` the Lambda handler returns.

    Returns:
        The decorator. Where the Lambda handler returns None, the processor's answer is returned: to AWS, None would
        mean that every record succeeded.
    """
    decorator: Callable[[Handler], Handler] = _decorator(
        "batch_processor", "process_partial_response", record_handler, processor, synchronously=True
    )
    return decorator


def async_batch_processor(
    *, record_handler: Callable[..., Any], processor: BasePartialProcessor
) -> Callable[[Handler], Handler]:
    """As :func:`batch_processor`, for async handlers. Deprecated: use :func:`async_process_partial_response`."""
    decorator: Callable[[Handler], Handler] = _decorator(
        "async_batch_processor", "async_process_partial_response", record_handler, processor, synchronously=False
    )
    return decorator


def _decorator(
    name: str,
    instead: str,
    record_handler: Callable[..., Any],
    processor: BasePartialProcessor,
    *,
    synchronously: bool,
) -> Any:
    if not isinstance(processor, BasePartialProcessor):
        _refuse_processor(processor)
    run = processor._run_sync if synchronously else processor._run_async
    warnings.warn(f"{name} is deprecated; use {instead}().", DeprecationWarning, stacklevel=3)

    def decorate(lambda_handler: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(lambda_handler)
        def handle(event: Any, context: Any = None, *args: Any, **kwargs: Any) -> Any:
            invocation = run(event, record_handler, context)
            answer = processor._respond(invocation)
            returned = processor._current.call_showing(invocation, lambda_handler, event, context, *args, **kwargs)
            return answer if returned is None else returned

        return handle

    return decorate


def _refuse_processor(processor: object) -> NoReturn:
    hint = " Pass an object of it." if isinstance(processor, type) else ""
    raise ConfigurationError(f"processor is a BatchProcessor or another processor, not {shown(processor)}.{hint}")
