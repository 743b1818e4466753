"""The event source mapping in memory: receive, invoke, read the response, acknowledge; again, until nothing is left."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from batchcore import ConfigurationError
from batchcore.windows import is_windowed
from batchcore_testing.clock import SimulatedContext
from batchcore_testing.errors import NotDrainedError
from batchcore_testing.responses import Reading, positions_again, read_response, whole_batch
from batchcore_testing.simulator.batches import Batches, Seen
from batchcore_testing.simulator.faults import NO_FAULTS, Fault, Faults
from batchcore_testing.simulator.history import FunctionCrash, History, Invocation, Ledger, shortened
from batchcore_testing.simulator.source import Delivery, Options, Settlement, SimulatedSource
from batchcore_testing.simulator.watching import watched

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from batchcore import BatchProcessor


class EventSourceMapping:
    """What stands between a source and a function on Lambda, in memory and without chance.

    One invocation at a time. The function gets the event as Lambda gives it, from JSON, and a Lambda context by the
    source's clock. A handler that takes time says so: ``mapping.clock.advance(seconds)``.

    Args:
        source: a :class:`Queue`, :class:`FifoQueue`, :class:`Stream`, :class:`Topic`, :class:`SharedTopic` or
            :class:`BrokerQueue`; or a :class:`DeliveryStream` or a :class:`BatchJob`, which invoke a function without a
            mapping at AWS.
        function: what to invoke: ``function(event, context)``. Or, instead of it:
        processor: a processor, which runs
        record_handler: this handler. What it began with and returned for is then known, and what the processor dropped
            or a dead letter.
        batch_size: the most records of one batch; None for what AWS has as its default.
        report_batch_item_failures: whether ``FunctionResponseTypes`` has ``ReportBatchItemFailures``. Without it the
            response is not read, as on Lambda: all that the function did not raise for is acknowledged.
        timeout: seconds that an invocation may take, by the source's clock.
        faults: what goes wrong without anybody's fault.
        reads: how AWS reads a response that is not ``batchItemFailures``, for a service that is not known here. A
            function: event and response to the positions of the records that are not done.
        seed: of all chance: the order of a standard queue, which shard is next, faults. The same seed, the same
            history.
        parallelization_factor: of streams: batches of one shard at a time.
        maximum_retry_attempts: of streams and topics; -1 for no limit, which of a shared topic is none at all.
        maximum_record_age_in_seconds: of streams and topics; -1 for no limit.
        bisect_batch_on_function_error: of streams and topics: whether a batch is split when the function fails.
        tumbling_window_in_seconds: of streams; 0 for no windows.
        on_failure: of streams and topics: whether there is an on-failure destination.

    Attributes:
        clock: the source's.
        history: what happened.

    Raises:
        batchcore.ConfigurationError: an option is none of this source's, or out of its range; the source makes the
            events of a pipe; or there is not exactly one of a function, and a processor with its handler.
    """

    OF_PIPES: ClassVar[bool] = False
    """Whether the function is called with what a pipe calls it with: a bare list."""

    def __init__(  # noqa: PLR0913 - the options of AWS's own mapping
        self,
        source: SimulatedSource,
        function: Callable[[Any, Any], Any] | None = None,
        *,
        processor: BatchProcessor | None = None,
        record_handler: Callable[..., Any] | None = None,
        batch_size: int | None = None,
        report_batch_item_failures: bool = True,
        timeout: float = 30.0,
        faults: Faults = NO_FAULTS,
        reads: Callable[[Any, Any], Collection[int]] | None = None,
        seed: int = 0,
        parallelization_factor: int = 1,
        maximum_retry_attempts: int = -1,
        maximum_record_age_in_seconds: int = -1,
        bisect_batch_on_function_error: bool = False,
        tumbling_window_in_seconds: int = 0,
        on_failure: bool = False,
    ) -> None:
        service = source.service.name
        if service.startswith("pipes-") and not self.OF_PIPES:
            raise ConfigurationError(
                f"What is of {service} a pipe calls a function with, and no event source mapping. Write Pipe("
                f"{type(source).__name__}({service!r}), ...)."
            )
        self.source = source
        self.clock = source.clock
        self.history = History(source.items)
        self.report_batch_item_failures = report_batch_item_failures
        self.timeout = timeout
        self.faults = faults
        self._random = Random(seed)  # noqa: S311 - chance that repeats is wanted
        self._ledger = Ledger(self.history, source.find, source.clock)
        self._reads = reads
        self._sees_itself = False
        self._function = self._function_of(function, processor, record_handler)
        options = Options(
            source.DEFAULT_BATCH_SIZE if batch_size is None else batch_size,
            parallelization_factor,
            maximum_retry_attempts,
            maximum_record_age_in_seconds,
            bisect_batch_on_function_error,
            tumbling_window_in_seconds,
            on_failure,
        )
        source.attach(options, self.history, self._random)

    def tried(self, what: Any) -> None:
        """Write down that the function begins with something that was sent.

        It is named by its record, raw or typed, its identifier, or its content: the object that was sent, its JSON as
        text or bytes, or what a data class or a model has made of it. Call it where the function begins to do what must
        be done once, or let it stand for that.

        Raises:
            UnknownRecordError: it is nothing that was sent, or was sent more than once.
        """
        self._refuse_twice("tried")
        self._ledger.tried(what)

    def done(self, what: Any) -> None:
        """Write down that the function has done what must be done: for ``what``, see :meth:`tried`.

        Let it stand for the effect: ``monkeypatch.setattr(app, "ship", mapping.done)``.

        Raises:
            UnknownRecordError: it is nothing that was sent, or was sent more than once.
        """
        self._refuse_twice("done")
        self._ledger.done(what)

    def given_up(self, what: Any) -> None:
        """Write down that the function gives something up on purpose, so that it is not lost.

        Args:
            what: see :meth:`tried`.

        Raises:
            UnknownRecordError: it is nothing that was sent, or was sent more than once.
        """
        self._ledger.given_up(what)

    def watched(self, record_handler: Callable[..., Any]) -> Callable[..., Any]:
        """Return a handler that does the same, and writes down what it begins with and what it returned for.

        Args:
            record_handler: a handler whose record tells which it is: a raw or typed one, or a model with its fields.
        """
        self.history.knows_done = self.history.knows_tried = True
        return watched(record_handler, self._ledger)

    def poll(self) -> Invocation | None:
        """See one batch through, after as much time as it takes until there is one.

        Returns:
            What became of it; None when there will never be one again.
        """
        while True:
            delivery = self.source.receive()
            if delivery is not None:
                return self._see_through(delivery)
            at = self.source.next_at()
            if at is None:
                return None
            # A moment that has come and brought nothing would come for ever.
            self.clock.now = max(at, self.clock.now + 0.001)

    def drain(self, *, max_invocations: int = 10_000) -> History:
        """Poll until the source holds nothing any more.

        Args:
            max_invocations: after how many invocations to give up.

        Returns:
            What happened, since the mapping was made.

        Raises:
            NotDrainedError: the source still held records, or a window had not ended.
        """
        for _ in range(max_invocations):
            if self.poll() is None:
                return self.history
        left = self.source.left()
        if left:
            stuck = [item for item in self.history.left if item.deliveries][:3]
            raise NotDrainedError(
                f"After {max_invocations} invocations the source still holds {left} records, such as "
                f"{', '.join(map(repr, stuck)) or 'some that were never delivered'}. What fails for ever must be given "
                f"up: max_receive_count of a queue, maximum_retry_attempts of a stream, delivery_limit of a broker's "
                f"queue.{self._last_words()}",
                left=left,
            )
        if self.source.next_at() is not None:
            raise NotDrainedError(
                f"After {max_invocations} invocations a tumbling window has not ended: its last call never succeeded. "
                f"Nothing gives it up.{self._last_words()}",
                left=0,
            )
        return self.history

    def _last_words(self) -> str:
        complaint = self.history.complaint
        return "" if complaint is None else f" The last invocation that failed: {complaint}"

    def _refuse_twice(self, what: str) -> None:
        if self._sees_itself:
            self._ledger.mistake = ConfigurationError(
                "A mapping with a processor and its handler sees by itself what is tried and done; "
                f"{what}() would count it twice."
            )
            raise self._ledger.mistake

    def _see_through(self, delivery: Delivery) -> Invocation:
        number = len(self.history.invocations) + 1
        fault = self.faults.choose(number, self._random)
        for item in delivery.items:
            item.deliveries.append(number)
        at, event = self.clock.now, json.dumps(delivery.event)
        response, reading, again = None, None, list(range(len(delivery.items)))
        unfinished: Mapping[int, str] = {}
        if fault != "throttle":
            response, seen = self._invoke(json.loads(event), number, delivery, fault)
            reading = self._read(delivery, response, report=self.report_batch_item_failures)
            unfinished = self._note_reported(delivery, response, seen)
            again = positions_again(self.source.service, delivery.records, reading)
        lost = self._lost_acknowledgements(delivery, again) if fault == "duplicate" else []
        self.source.settle(delivery, Settlement(reading, again, lost, response))
        invocation = Invocation(
            number,
            at,
            json.loads(event),
            delivery.items,
            fault,
            response,
            "throttled" if reading is None else reading.complaint,
            [delivery.items[position] for position in sorted({*again, *lost})],
            unfinished,
        )
        self.history.invocations.append(invocation)
        return invocation

    def _invoke(
        self, event: Any, number: int, delivery: Delivery, fault: Fault | None
    ) -> tuple[Any, Mapping[int, Seen]]:
        """Return what the function returned, or the exception that it ended with; and what batchcore saw meanwhile."""
        context = SimulatedContext(self.timeout, self.clock, aws_request_id=f"invocation-{number}")
        breaks, size = fault in ("crash", "timeout"), len(delivery.items)
        tried = [len(item.tried) for item in delivery.items]
        self._ledger.begin(context.deadline, self._random.randint(1, 2 * max(size, 1)) if breaks else None)
        seen: Mapping[int, Seen] = {}
        batches = Batches(event, self.source.service)
        try:
            with batches:
                response = self._function(event, context)
        except FunctionCrash:
            response = None
        except (Exception, SystemExit) as error:
            response = error
        finally:
            has_crashed = self._ledger.has_crashed
            self._ledger.end()
        if self._ledger.mistake is not None:
            raise self._ledger.mistake
        if not has_crashed:
            seen = batches.seen()
            self._note_seen(delivery, seen, tried)
        if fault == "timeout":
            self.clock.now = max(self.clock.now, context.deadline + 0.001)
        if self.clock.now > context.deadline:
            response = TimeoutError(f"Task timed out after {self.timeout:.2f} seconds")
        elif breaks:
            response = RuntimeError("Runtime exited with error: signal: killed")
        return response, seen

    def _read(self, delivery: Delivery, response: Any, *, report: bool) -> Reading:
        service = self.source.service
        if self._reads is not None and not isinstance(response, BaseException):
            return Reading(frozenset(self._reads(delivery.event, response) if report else ()))
        names = [service.identifier(record) for record in delivery.records]
        reading = read_response(
            response, names, service, report_batch_item_failures=report, windowed=is_windowed(delivery.event)
        )
        if reading.complaint is None:
            complaint = self.source.complaint_of(delivery, response)
            reading = reading if complaint is None else whole_batch(names, complaint)
        return reading

    def _note_seen(self, delivery: Delivery, seen: Mapping[int, Seen], tried: Sequence[int]) -> None:
        """Write down what no handler was called for and was tried nevertheless, and what was given up on purpose."""
        for position, made in seen.items():
            item, status = delivery.items[position], None if made.outcome is None else made.outcome.status
            if status not in (None, "not_attempted") and len(item.tried) == tried[position]:
                item.tried.append(self.history.now())
            if status in ("dropped", "dead_lettered"):
                item.given_up.append(self.history.now())

    def _note_reported(self, delivery: Delivery, response: Any, seen: Mapping[int, Seen]) -> Mapping[int, str]:
        """Write down what the function reports as done, read or not; where it raises, what was seen to be done.

        Returns:
            Of each item that batchcore has not finished, by its number, why, and what the function said of it.
        """
        if isinstance(response, BaseException):  # what was done comes again, and may be done twice
            for position, of_it in seen.items():
                if of_it.outcome is not None and of_it.outcome.status == "succeeded":
                    delivery.items[position].reported.append(self.history.now())
            return {}
        named = self._read(delivery, response, report=True).named
        unfinished: dict[int, str] = {}
        for position, item in enumerate(delivery.items):
            made = seen.get(position)
            if made is not None and not made.done:
                unfinished[item.number] = f"{made}, and the function {self._said(response, named=position in named)}"
            elif position not in named:
                item.reported.append(self.history.now())
        return unfinished

    def _said(self, response: Any, *, named: bool) -> str:
        if not named:
            return f"returned {shortened(response)}"
        return "named it" if self.report_batch_item_failures else "named it where the mapping does not read it"

    def _lost_acknowledgements(self, delivery: Delivery, again: list[int]) -> list[int]:
        """Choose what is delivered again though it was done: some messages of a queue, or a whole batch."""
        done = [position for position in range(len(delivery.items)) if position not in again]
        if not done or self.source.service.kind != "record":
            return done
        return sorted(self._random.sample(done, self._random.randint(1, len(done))))

    def _function_of(
        self,
        function: Callable[[Any, Any], Any] | None,
        processor: BatchProcessor | None,
        record_handler: Callable[..., Any] | None,
    ) -> Callable[[Any, Any], Any]:
        if function is not None and processor is None and record_handler is None:
            return function
        if function is not None or processor is None or record_handler is None:
            raise ConfigurationError(
                "A mapping invokes a function, or a processor with its handler: EventSourceMapping(source, function) "
                "or EventSourceMapping(source, processor=..., record_handler=...)."
            )
        self._sees_itself = True
        handler = self.watched(record_handler)

        return lambda event, context: processor.run(event, handler, context).response
