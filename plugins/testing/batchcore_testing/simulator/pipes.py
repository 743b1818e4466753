"""Amazon EventBridge Pipes in memory: what stands between a source and a function that is the target of a pipe."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from batchcore import ConfigurationError
from batchcore_testing.responses import Reading, whole_batch
from batchcore_testing.simulator.mapping import EventSourceMapping

if TYPE_CHECKING:
    from batchcore_testing.simulator.source import Delivery, SimulatedSource

OnPartialFailure: TypeAlias = Literal["AUTOMATIC_BISECT"] | None

_NOT_OF_PIPES = {
    "report_batch_item_failures": "a pipe always reads the response of its target",
    "bisect_batch_on_function_error": 'a pipe has on_partial_batch_item_failure="AUTOMATIC_BISECT"',
    "tumbling_window_in_seconds": "a pipe has no tumbling windows",
}
_RETRIES = ("maximum_retry_attempts", "maximum_record_age_in_seconds", "on_failure")


class Pipe(EventSourceMapping):
    """A pipe of EventBridge Pipes whose target is a function.

    The function gets a bare list. What it answers is read for SQS, Kinesis and DynamoDB Streams, always; from Kafka and
    Amazon MQ nothing is read, and an error brings the whole batch again.

    Args:
        source: a :class:`Queue`, :class:`FifoQueue`, :class:`Stream`, :class:`Topic` or :class:`BrokerQueue` that makes
            the events of a pipe: ``Queue("pipes-sqs")``, ``BrokerQueue("pipes-mq")``.
        function: what to invoke, as of an :class:`EventSourceMapping`.
        on_partial_batch_item_failure: of streams: whether a batch of which something failed is split, and both halves
            are delivered again. Otherwise what a response names is the checkpoint.
        options: those of an :class:`EventSourceMapping` that a pipe has too. The dead-letter queue of a pipe is
            ``on_failure``; only a pipe from a stream has one.

    Raises:
        batchcore.ConfigurationError: an option is none of a pipe, or the source makes other events.
    """

    OF_PIPES: ClassVar[bool] = True

    def __init__(
        self,
        source: SimulatedSource,
        function: Callable[[Any, Any], Any] | None = None,
        *,
        on_partial_batch_item_failure: OnPartialFailure = None,
        **options: Any,
    ) -> None:
        service = source.service
        if not service.name.startswith("pipes-"):
            raise ConfigurationError(
                f"A pipe calls a function with a list, and this {type(source).__name__} makes events of "
                f"{service.name}. Make it with source='pipes-{service.name}'."
            )
        is_stream = service.kind == "checkpoint"
        for name in options:
            if name in _NOT_OF_PIPES:
                raise ConfigurationError(f"A pipe has no {name}: {_NOT_OF_PIPES[name]}.")
            if name in _RETRIES and not is_stream:
                raise ConfigurationError(f"A pipe from {service.name} has no {name}; one from a stream has.")
        if on_partial_batch_item_failure not in (None, "AUTOMATIC_BISECT"):
            raise ConfigurationError(
                f'on_partial_batch_item_failure is "AUTOMATIC_BISECT" or None, not {on_partial_batch_item_failure!r}.'
            )
        self._bisects = on_partial_batch_item_failure is not None
        if self._bisects and not is_stream:
            raise ConfigurationError(
                f"A pipe from {service.name} has no on_partial_batch_item_failure; one from a stream has."
            )
        super().__init__(source, function, bisect_batch_on_function_error=self._bisects, **options)

    def _read(self, delivery: Delivery, response: Any, *, report: bool) -> Reading:
        reading = super()._read(delivery, response, report=report)
        if not self._bisects or not reading.named or reading.complaint is not None:
            return reading
        names = [self.source.service.identifier(record) for record in delivery.records]
        return whole_batch(
            names, "something of the batch failed, and AUTOMATIC_BISECT delivers all of it again, in halves"
        )
