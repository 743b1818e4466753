"""The contract of a source, as tests: derive from ``SourceContract``, give it the source and its events.

Every test is about one rule of :mod:`batchcore_testing.contract.rules`, and says which when it fails. A test may be
opted out of by an override that is marked with ``pytest.mark.xfail(reason=...)``, and in no other way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from batchcore_testing.contract import rules
from batchcore_testing.contract.checks import shown
from batchcore_testing.contract.decoding import DecodingTests
from batchcore_testing.contract.descriptions import DescriptionTests
from batchcore_testing.contract.events import EventTests
from batchcore_testing.contract.lanes import LaneTests
from batchcore_testing.contract.messages import MessageTests
from batchcore_testing.contract.opting_out import keep_parameters, refuse_silent_opt_outs
from batchcore_testing.contract.order import OrderTests
from batchcore_testing.contract.probe import Probe, Reads
from batchcore_testing.contract.processors import ProcessorTests
from batchcore_testing.contract.records import RecordTests
from batchcore_testing.contract.responses import ResponseTests
from batchcore_testing.contract.windows import WindowTests
from batchcore_testing.factories import registered_factory

if TYPE_CHECKING:
    from batchcore_testing.services import Service

__all__ = ["SourceContract"]


class ExampleTests:
    """The events that a contract is tested with, and whether there is anything to test."""

    def test_it_gives_the_records_of_an_event(self, probe: Probe) -> None:
        try:
            given: Any = probe.hooks.extract_records(probe.event)
        except Exception as error:
            rules.EXTRACTED.broken(f"it raises {shown(error)}", probe.name, error)
        if not isinstance(given, Sequence):
            rules.EXTRACTED.broken(f"it gives no sequence but an object of {type(given).__name__}", probe.name)

    def test_the_example_events_are_what_they_should_be(self, probe: Probe, event_of: Callable[[int], Any]) -> None:
        for size in (1, 3, 8):
            event = event_of(size)
            seen = len(probe.records(event))
            if seen != size:
                rules.EXAMPLE.broken(f"event_of({size}) has {seen} records", probe.name)
            if json.loads(json.dumps(event)) != event:
                rules.EXAMPLE.broken(f"event_of({size}) is not what JSON gives", probe.name)
        lanes = probe.lanes(probe.event)
        if lanes and max(map(len, lanes.values())) < 2:
            rules.EXAMPLE.broken("in event_of(8) no two records belong together", probe.name)


class SourceContract(  # pytest runs the tests of the last base first
    WindowTests,
    MessageTests,
    DescriptionTests,
    ProcessorTests,
    OrderTests,
    ResponseTests,
    DecodingTests,
    LaneTests,
    RecordTests,
    EventTests,
    ExampleTests,
):
    """The tests that every source passes.

    A subclass has two fixtures::

        class TestMySource(SourceContract):
            @pytest.fixture
            def source(self):
                return my_package.source

            @pytest.fixture
            def event_of(self):
                return lambda n: {...}  # an event with n good records

    Where the source orders records, some records of an event belong together: several in a message group, with a
    partition key, of a partition. The events are those of AWS, as it delivers them: for services that are known here,
    responses are read and lanes are found by AWS's rules, not by what the source says.
    """

    def __init_subclass__(cls, **arguments: Any) -> None:
        """Refuse a subclass that does without a test and does not say why."""
        super().__init_subclass__(**arguments)
        refuse_silent_opt_outs(cls, SourceContract)
        keep_parameters(cls, SourceContract)

    @pytest.fixture
    def source(self) -> Any:
        """The source to test."""
        raise NotImplementedError("A contract has a fixture named source, which gives the source to test.")

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        """A function from a number n to an event with n records."""
        raise NotImplementedError("A contract has a fixture named event_of, which gives a function: n to an event.")

    @pytest.fixture
    def reads(self) -> Reads | None:
        """How AWS reads a response, where it is neither ``batchItemFailures`` nor known here; None where it is.

        A function: event and response, or the exception that the function raised, to the positions that are not done.
        """
        return None

    @pytest.fixture
    def identifiers_repeat(self) -> bool | None:
        """Whether two records of a batch may have the same number, as one of each partition of Kafka or of two streams.

        True where each lane counts by itself, False where the service gives a number once. None: the suite sees by the
        services that it knows, by ``reads``, by the event factory, and by events that have a list for each lane.
        """
        return None

    @pytest.fixture
    def event_factory(self, source: Any) -> Any:
        """What makes events of the source: what is registered under its name, or None where there is no such thing.

        A source that no package registers has a fixture of this name, which gives its factory.
        """
        name: Any = getattr(source, "name", None)
        return registered_factory(name) if isinstance(name, str) else None

    @pytest.fixture
    def service(self) -> Service | None:
        """The service as AWS has it, where no event tells; None where one does.

        Kafka in queue mode is ``batchcore_testing.services.KAFKA_QUEUE``.
        """
        return None

    @pytest.fixture
    def probe(
        self,
        source: Any,
        event_of: Callable[[int], Any],
        reads: Reads | None,
        identifiers_repeat: bool | None,
        event_factory: Any,
        service: Service | None,
    ) -> Probe:
        """What looks at the source."""
        return Probe(source, event_of(8), reads, identifiers_repeat, event_factory, service)

    def test_no_test_is_opted_out_of_silently(self) -> None:
        refuse_silent_opt_outs(type(self), SourceContract)
