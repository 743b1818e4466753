"""What makes events of a source for tests: registered under the name of the source, or passed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from batchcore import (
    AmbiguousSourceError,
    BatchProcessor,
    ConfigurationError,
    PluginError,
    SourceBrokenError,
    SourceNotInstalledError,
    UnknownHookError,
    entry_points,
    hookimpl,
)
from batchcore.records import identify
from batchcore_testing import (
    EventFactory,
    FifoQueue,
    KafkaEvents,
    Queue,
    Sent,
    Simulator,
    SourceContract,
    Stream,
    Topic,
    event_from,
    make_event,
    make_record,
)
from batchcore_testing.contract.probe import Probe
from batchcore_testing.factories import GROUP, registered_factory

from .support import contents, succeeds

Install = Callable[..., None]


class Toys:
    """A source of somebody's own."""

    name = "toys"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, dict) and "toys" in event

    @hookimpl
    def extract_records(self, event: Any) -> Sequence[Any]:
        records: list[Any] = event["toys"]
        return records

    @hookimpl
    def identify_records(self, records: Sequence[Any]) -> Sequence[str]:
        return identify("id")(records)


class ToyEvents(EventFactory):
    def record(self, sent: Sent) -> dict[str, Any]:
        return {"id": f"toy {sent.number}", "toy": sent.content}

    def event(self, records: Sequence[Any]) -> Any:
        return {"toys": list(records)}


CAR_AND_BALL = {"toys": [{"id": "toy 1", "toy": "car"}, {"id": "toy 2", "toy": "ball"}]}
MODULE = """
    from batchcore_testing import EventFactory

    class ToyEvents(EventFactory):
        def record(self, sent):
            return {"id": f"toy {sent.number}", "toy": sent.content}

        def event(self, records):
            return {"toys": list(records)}

    made = ToyEvents()
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """A function: installs a package for one test, its name, the value of its entry point for toys, its module."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def installed(distribution: str, value: str, module: str = MODULE, *, source: str = "toys") -> None:
        name = value.partition(":")[0]
        monkeypatch.delitem(sys.modules, name, raising=False)
        (tmp_path / f"{name}.py").write_text(dedent(module), encoding="utf-8")
        metadata = tmp_path / f"{distribution.replace('-', '_')}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[{GROUP}]\n{source} = {value}\n")
        monkeypatch.setattr(entry_points, "registered", cache(entry_points.read))  # read them anew

    return installed


# By name.


@pytest.mark.parametrize("source", ["toys", Toys()])
@pytest.mark.parametrize("what", ["ToyEvents", "made"])
def test_event_factory_that_a_package_registers_makes_the_events_of_its_source(
    install: Install, source: object, what: str
) -> None:
    install("acme-toys", f"acme_toys_{what}:{what}")

    assert make_event(source, "car", "ball") == CAR_AND_BALL
    assert event_from(source, [make_record(source, "car")]) == {"toys": CAR_AND_BALL["toys"][:1]}


@pytest.mark.parametrize("name", ["sqs", "kinesis", "dynamodb", "kafka"])
def test_our_sources_have_one(name: str) -> None:
    assert isinstance(registered_factory(name), EventFactory)


def test_factory_of_the_kit_gives_way_to_that_of_a_package() -> None:
    assert type(registered_factory("kafka")).__module__ == "batchcore_kafka.events"


@pytest.mark.parametrize("source", ["acme-kafka", "kafka"])
@pytest.mark.parametrize("value", ["batchcore_testing:KafkaEvents", "batchcore_testing.kafka:KafkaEvents"])
def test_package_may_register_the_factory_of_the_kit(install: Install, tmp_path: Path, source: str, value: str) -> None:
    install("acme-kafka", "acme_kafka:none", source=source)
    (tmp_path / "acme_kafka-1.0.dist-info" / "entry_points.txt").write_text(f"[{GROUP}]\n{source} = {value}\n")

    assert isinstance(registered_factory(source), KafkaEvents)


def test_source_without_one_says_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match="The source 'toys' has no event factory") as caught:
        make_record(Toys(), "car")

    assert "in the entry-point group batchcore.event_factories; or pass the factory itself" in str(caught.value)


def test_source_that_nobody_has_is_not_installed() -> None:
    with pytest.raises(SourceNotInstalledError, match=r"No source named 'toys' is installed; .* Installed: .*sqs"):
        make_event("toys", "car")


def test_what_is_no_source_is_refused_as_by_a_processor() -> None:
    with pytest.raises(PluginError, match="ToyEvents is a class; pass an object of it"):
        make_event(ToyEvents, "car")


@pytest.mark.parametrize("source", ["toys", Toys()])
def test_factory_that_does_not_load_says_whose_it_is_and_why(install: Install, source: object) -> None:
    install("acme-toys", "acme_broken_toys:ToyEvents", "raise RuntimeError('no toys today')")

    with pytest.raises(SourceBrokenError, match="no toys today") as caught:
        make_event(source, "car")
    assert "The event factory of 'toys' is installed (acme-toys, acme_broken_toys:ToyEvents)" in str(caught.value)
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_two_packages_that_register_one_are_named(install: Install) -> None:
    install("acme-toys", "acme_toys_one:ToyEvents")
    install("other-toys", "acme_toys_two:ToyEvents")

    with pytest.raises(AmbiguousSourceError) as caught:
        make_event("toys", "car")
    assert "acme-toys, acme_toys_one:ToyEvents and other-toys, acme_toys_two:ToyEvents" in str(caught.value)
    assert make_event(ToyEvents(), "car", "ball") == CAR_AND_BALL


def test_package_that_cannot_be_read_is_named_where_there_is_none(install: Install, tmp_path: Path) -> None:
    install("acme-toys", "acme_unreadable:ToyEvents")
    (tmp_path / "acme_toys-1.0.dist-info" / "entry_points.txt").write_text(f"[{GROUP}]\nno value\n")

    with pytest.raises(ConfigurationError, match="entry points of acme-toys cannot be read: the line 'no value'"):
        make_event(Toys(), "car")


# Passed.


def test_factory_is_passed_in_the_place_of_a_source() -> None:
    assert make_event(ToyEvents(), "car", "ball") == CAR_AND_BALL
    assert event_from(ToyEvents(), [make_record(ToyEvents(), "car")]) == {"toys": CAR_AND_BALL["toys"][:1]}


def test_simulated_source_of_a_service_of_aws_needs_the_factory_alone() -> None:
    simulator = Simulator()
    for topic in (Topic(KafkaEvents()), simulator.topic(KafkaEvents()), simulator.topic("kafka")):
        topic.send("a", "b")
        simulator.mapping(topic, succeeds).drain().check()


def test_simulated_source_of_ones_own_takes_the_source_and_its_factory() -> None:
    simulator = Simulator()
    queue = simulator.queue(Toys(), factory=ToyEvents())
    fifo = simulator.fifo_queue(Toys(), factory=ToyEvents())
    stream = simulator.stream(Toys(), factory=ToyEvents())
    topic = simulator.topic(Toys(), factory=ToyEvents())

    for source in (queue, fifo, stream, topic):
        source.send("car", "ball", key="shelf")
        mapping = simulator.mapping(source, processor=BatchProcessor(Toys()), record_handler=lambda toy: None)
        assert contents(mapping.drain().items) == ["car", "ball"]


MAKERS: list[Any] = [Queue, FifoQueue, Stream, Topic]
MAKERS += [getattr(Simulator(), name) for name in ("queue", "fifo_queue", "stream", "topic")]


@pytest.mark.parametrize("make", MAKERS)
def test_simulated_source_takes_its_source_first_and_then_its_name(make: Any) -> None:
    made = make(Toys(), "shelf.fifo", factory=ToyEvents())
    assert made.service.name == "toys"
    assert made.resource == "shelf.fifo"


@pytest.mark.parametrize("make", MAKERS)
def test_name_in_the_place_of_the_source_is_refused_with_what_to_write(make: Any) -> None:
    with pytest.raises(SourceNotInstalledError, match=r"takes its source first; .* write name='invoices\.fifo'"):
        make("invoices.fifo")


@pytest.mark.parametrize("make", MAKERS)
def test_source_in_the_place_of_the_name_is_refused(make: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"is a string; this is of the type Toys\. A source comes before"):
        make("sqs", Toys())


def test_factory_alone_is_not_enough_for_records_that_only_a_source_can_read() -> None:
    with pytest.raises(ConfigurationError, match=r"ToyEvents makes events of no service of AWS\. .* factory=ToyEvents"):
        Queue(source=ToyEvents())


# In the contract.


class TestToys(SourceContract):
    """A source that no package registers has a fixture for its factory."""

    @pytest.fixture
    def source(self) -> Toys:
        return Toys()

    @pytest.fixture
    def event_factory(self) -> ToyEvents:
        return ToyEvents()

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda n: make_event(ToyEvents(), *range(n))

    def test_the_suite_knows_the_factory(self, probe: Probe) -> None:
        assert isinstance(probe.factory, ToyEvents)


class TestToysWithoutFactory(SourceContract):
    """A source may have none."""

    @pytest.fixture
    def source(self) -> Toys:
        return Toys()

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda n: make_event(ToyEvents(), *range(n))

    def test_the_suite_knows_of_none(self, probe: Probe) -> None:
        assert probe.factory is None


# In a function.


def test_event_factory_is_no_hook() -> None:
    class WithHook(Toys):
        @hookimpl
        def event_factory(self) -> Any:
            raise AssertionError

    with pytest.raises(UnknownHookError, match=r"event_factory\(\), which is no hook"):
        BatchProcessor(WithHook()).run({"toys": []}, lambda toy: None)
