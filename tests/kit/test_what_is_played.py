"""Which services each simulated source plays: those that deliver and acknowledge as it does, and no other."""

from __future__ import annotations

from typing import Any

import pytest

from batchcore import BatchProcessor, ConfigurationError, entry_points
from batchcore_testing import (
    BatchJob,
    BrokerQueue,
    DeliveryStream,
    FifoQueue,
    Queue,
    SharedTopic,
    Simulator,
    Stream,
    Topic,
)

from .support import KafkaSource
from .test_event_factories import ToyEvents, Toys

PLAYED: dict[type[Any], set[str]] = {
    BatchJob: {"s3batch"},
    BrokerQueue: {"activemq", "rabbitmq", "pipes-mq"},
    DeliveryStream: {"firehose"},
    FifoQueue: {"sqs", "pipes-sqs"},
    Queue: {"sqs", "pipes-sqs"},
    SharedTopic: {"kafka"},
    Stream: {"kinesis", "dynamodb", "pipes-kinesis", "pipes-dynamodb"},
    Topic: {"kafka", "pipes-kafka"},
}
OURS = sorted(
    name
    for name, (entry, *_) in entry_points.registered("batchcore.sources").by_name.items()
    if (entry_points.field_of(entry.dist, "name") or "").startswith("batchcore-")
)
each_class = pytest.mark.parametrize("simulated", PLAYED, ids=lambda simulated: simulated.__name__)


def test_every_source_of_ours_is_played() -> None:
    assert set(OURS) == set[str]().union(*PLAYED.values())


@pytest.mark.parametrize("source", OURS)
@each_class
def test_what_is_delivered_otherwise_is_refused(simulated: type[Any], source: str) -> None:
    if source in PLAYED[simulated]:
        assert simulated(source).factory is not None
        return
    with pytest.raises(ConfigurationError, match=f"A {simulated.__name__} plays ") as caught:
        simulated(source)
    players = [other.__name__ for other in PLAYED if source in PLAYED[other]]
    assert str(caught.value).endswith(f" It is played by {' and '.join(players)}.")


def test_a_source_of_somebody_else_for_a_service_of_aws_is_played_as_that_is() -> None:
    assert Topic(KafkaSource(), factory=Topic("kafka").factory).service.name == "kafka"
    with pytest.raises(ConfigurationError, match=r"of kafka is .* played by SharedTopic and Topic\."):
        Queue(KafkaSource(), factory=Topic("kafka").factory)


@pytest.mark.parametrize("simulated", [FifoQueue, Queue, Stream, Topic])
def test_a_service_of_somebody_else_may_be_anything_that_acknowledges_as_it_does(simulated: type[Any]) -> None:
    assert simulated(Toys(), factory=ToyEvents()).service.name == "toys"


@pytest.mark.parametrize("simulated", [BatchJob, BrokerQueue, DeliveryStream, SharedTopic])
def test_what_reads_another_response_or_none_plays_no_service_of_somebody_else(simulated: type[Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"What is of toys is .* another way\.$"):
        simulated(Toys(), factory=ToyEvents())


@pytest.mark.parametrize("source", ["pipes-sqs", "pipes-kinesis", "pipes-kafka", "pipes-mq"])
def test_a_mapping_has_no_events_of_a_pipe(source: str) -> None:
    simulator = Simulator()
    (make,) = (simulated for simulated in (Queue, Stream, Topic, BrokerQueue) if source in PLAYED[simulated])
    with pytest.raises(ConfigurationError, match=rf"a pipe calls a function with, .* Pipe\(.*\('{source}'\)"):
        simulator.mapping(make(source), processor=BatchProcessor(source), record_handler=print)
