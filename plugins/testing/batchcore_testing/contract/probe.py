"""How the suite looks at one source, and reads its responses as Lambda does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from batchcore import WholeBatchRetry
from batchcore.windows import is_windowed
from batchcore_testing.contract import rules
from batchcore_testing.contract.runs import Driver, Handler, Watch, one_by_one, with_block
from batchcore_testing.responses import Reading, positions_again, read_response
from batchcore_testing.services import Service, at, resolved_source, service_of_event, service_of_source

if TYPE_CHECKING:
    from batchcore.source import Source

Reads: TypeAlias = Callable[[Any, Any], Collection[int]]
"""How Lambda reads a response: event and response to the positions of the records that are not done."""


class Run(NamedTuple):
    """What was seen of a batch.

    Attributes:
        response: the response, or the exception that was raised.
        watch: what the observer saw.
        named: the positions that the response names as failed, as Lambda reads it; without those that it names as
            given up, where it can.
        complaint: why Lambda takes the whole batch for failed; None where it does not.
    """

    response: Any
    watch: Watch
    named: set[int]
    complaint: str | None

    def part(self, name: str) -> Any:
        """Return a part of the response, or None where there is no such part."""
        return None if isinstance(self.response, BaseException) else at(self.response, name)


class Probe:
    """Looks at one source.

    Args:
        source: the source.
        event: one of its events, with some records.
        reads: how Lambda reads a response, where the suite does not know it: event and response, or the exception that
            was raised, to the positions that come again.
        identifiers_repeat: whether records of two lanes may have the same identifier; None where the suite is to see.
        factory: makes events of the source; None where there is no such thing.
        service: the service as AWS has it, where no event tells; None where one does.

    Attributes:
        hooks: the source's hooks, as processors call them.
        service: the service of the event, as AWS has it; read through the source where it is none of AWS's.
        is_known: whether it is one of AWS's.
    """

    def __init__(
        self,
        source: Any,
        event: Any,
        reads: Reads | None = None,
        identifiers_repeat: bool | None = None,
        factory: Any = None,
        service: Service | None = None,
    ) -> None:
        self.source = source
        self.reads = reads
        self.identifiers_repeat = identifiers_repeat
        self.factory = factory
        self.event = event
        self.hooks: Source = resolved_source(source)
        known = service_of_event(event) if service is None else service
        self.is_known = known is not None
        self.service: Service = service_of_source(source) if known is None else known

    @property
    def name(self) -> str:
        """The name of the service, for messages."""
        return self.service.name

    @property
    def size(self) -> int:
        """How many records the event has."""
        return len(self.records(self.event))

    def records(self, event: Any) -> Sequence[Any]:
        """Return the records of an event, as AWS delivers them where that is known."""
        return self.service.records(event)

    def run(self, event: Any, handler: Handler | None = None, driver: Driver = one_by_one, **options: Any) -> Run:
        """Run a batch, and read its response as Lambda does.

        Raises:
            Exception: what the processor raises, but for ``WholeBatchRetry``, which is a response.
        """
        watch, identifiers = Watch(), [self.service.identifier(record) for record in self.records(event)]
        windowed = driver is not with_block and is_windowed(event)
        try:
            response = driver(self.source, event, Handler() if handler is None else handler, watch, **options)
        except WholeBatchRetry as error:
            response = error
        if self.reads is not None:
            return Run(response, watch, set(self.reads(event, response)), None)
        is_unread = self.service.kind == "results" or _names_nothing(response)
        if not self.is_known and not isinstance(response, BaseException) and is_unread:
            rules.READ_BY_SOMEBODY.broken(f"it answers {response!r}, and nobody says what that means", self.name)
        reading = read_response(response, identifiers, self.service, windowed=windowed)
        has_final = self.service.redelivers and reading.again is not None  # failures that do not come: given up
        return Run(response, watch, set(reading.again or () if has_final else reading.named), reading.complaint)

    def again(self, event: Any, run: Run) -> list[int]:
        """Return the positions that AWS delivers again."""
        return positions_again(self.service, self.records(event), Reading(frozenset(run.named), run.complaint))

    def lanes(self, event: Any) -> dict[Hashable, list[int]]:
        """Return the lanes of an event: those of the service, or of the source's own ordering where AWS has none."""
        key_of = self.key_of(event)
        keys = [key_of(record) for record in self.records(event)]
        lanes: dict[Hashable, list[int]] = {}
        for position, key in enumerate(keys):
            if key is not None:
                lanes.setdefault(key, []).append(position)
        return lanes

    def key_of(self, event: Any) -> Callable[[Any], Hashable]:
        """Return what tells the lane of a raw record of an event, None where nothing depends on it."""
        if self.is_known:
            return self.service.lane
        batch = self.run(event).watch.batch
        ordering = None if batch is None else self.hooks.ordering_policy(batch)
        if ordering is None or not ordering.grouped:
            return lambda record: None
        return (lambda record: "all") if ordering.key is None else ordering.key


def _names_nothing(response: Any) -> bool:
    return not (isinstance(response, Mapping) and "batchItemFailures" in response)
