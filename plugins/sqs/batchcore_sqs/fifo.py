"""The processor for FIFO queues."""

from __future__ import annotations

from batchcore import BatchProcessor, by_key
from batchcore_sqs.errors import SQSFifoMessageGroupCircuitBreakerError
from batchcore_sqs.hooks import SQS, STRICT_ORDER, message_group

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable
    from concurrent.futures import Executor
    from datetime import timedelta
    from typing import Any, NoReturn, overload

    from typing_extensions import TypeVar

    from batchcore.dispositions import Dispositions
    from batchcore.types import OfSQS
    from batchcore_sqs.hooks import SQSRecord

    R = TypeVar("R", default=Any)  # what a handler gets
else:
    R = None


GROUP_ORDER = by_key(message_group, not_attempted=SQSFifoMessageGroupCircuitBreakerError)


class SqsFifoPartialProcessor(BatchProcessor[R]):
    """Processes a batch of a FIFO queue in order, and stops where order would be lost.

    After the first failure no further message is attempted, and all that were not are reported as failed; or, with
    ``skip_group_on_error``, no further message of the same message group. It holds for any queue, whatever its name. A
    message without a group is a group of its own.

    AWS's side of it: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html

    Args:
        model: a pydantic model that each message is validated by, instead of :class:`SQSRecord`.
        skip_group_on_error: whether a failure stops its message group alone.
        logger: where failures are logged; the logger ``batchcore`` when None.
        raise_on_entire_batch_failure: whether a batch of which no message is done, and at least one failed, raises
            :class:`batchcore.BatchProcessingError`.
        plugins: extensions and observers.
        max_concurrency: how many message groups run at a time, at most, in worker threads; None for one by one. It
            changes nothing unless ``skip_group_on_error`` is set.
        executor: whose threads run them: a :class:`concurrent.futures.ThreadPoolExecutor`.
        stop_before_timeout: the time of the invocation to keep, in seconds or as a timedelta: with less than that left,
            no further message is started.
        dispositions: exception type to :class:`batchcore.Disposition`.
        dead_letter_after: from this receive on, counting from 1, a message that would be retried is a dead letter, and
            leaves its group before the queue's redrive takes its neighbours along.

    Raises:
        ConfigurationError: one of them cannot be used.
    """

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: SqsFifoPartialProcessor[SQSRecord],
            model: None = None,
            skip_group_on_error: bool = False,
            logger: logging.Logger | None = None,
            raise_on_entire_batch_failure: bool = True,
            *,
            plugins: Iterable[object] = (),
            max_concurrency: int | None = None,
            executor: Executor | None = None,
            stop_before_timeout: float | timedelta | None = None,
            dispositions: Dispositions | None = None,
            dead_letter_after: int | None = None,
        ) -> None: ...
        @overload
        def __init__(
            self,
            model: OfSQS[R],
            skip_group_on_error: bool = False,
            logger: logging.Logger | None = None,
            raise_on_entire_batch_failure: bool = True,
            *,
            plugins: Iterable[object] = (),
            max_concurrency: int | None = None,
            executor: Executor | None = None,
            stop_before_timeout: float | timedelta | None = None,
            dispositions: Dispositions | None = None,
            dead_letter_after: int | None = None,
        ) -> None: ...

    def __init__(
        self,
        model: Any = None,
        skip_group_on_error: bool = False,
        logger: logging.Logger | None = None,
        raise_on_entire_batch_failure: bool = True,
        *,
        plugins: Iterable[object] = (),
        max_concurrency: int | None = None,
        executor: Executor | None = None,
        stop_before_timeout: float | timedelta | None = None,
        dispositions: Dispositions | None = None,
        dead_letter_after: int | None = None,
        **unknown: NoReturn,
    ) -> None:
        super().__init__(
            SQS,
            model,
            raise_on_entire_batch_failure,
            logger,
            plugins=plugins,
            ordering=GROUP_ORDER if skip_group_on_error else STRICT_ORDER,
            max_concurrency=max_concurrency,
            executor=executor,
            stop_before_timeout=stop_before_timeout,
            dispositions=dispositions,
            dead_letter_after=dead_letter_after,
            **unknown,
        )
