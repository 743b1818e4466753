"""Pydantic models of the records of a pipe: each a model of its pipe, and of nothing else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

pydantic = pytest.importorskip("pydantic")

from pydantic import BaseModel, Json

import batchcore_pipes.models
from batchcore import BatchProcessor, ConfigurationError, WholeBatchRetry
from batchcore_dynamodb.models import DynamoDBStreamChangedRecordModel
from batchcore_pipes.events import RabbitMQPipeEvents
from batchcore_pipes.models import (
    ActiveMQPipeMessageModel,
    DynamoDBPipeRecordModel,
    KafkaPipeRecordModel,
    KinesisPipeRecordModel,
    RabbitMQPipeMessageModel,
    SqsPipeRecordModel,
)
from batchcore_testing import make_event

MODELS = {
    "pipes-sqs": SqsPipeRecordModel,
    "pipes-kinesis": KinesisPipeRecordModel,
    "pipes-dynamodb": DynamoDBPipeRecordModel,
    "pipes-kafka": KafkaPipeRecordModel,
    "pipes-mq": ActiveMQPipeMessageModel,
}
SAMPLES: dict[str, type[BaseModel]] = {
    "pipes-sqs": SqsPipeRecordModel,
    "pipes-kinesis": KinesisPipeRecordModel,
    "pipes-dynamodb": DynamoDBPipeRecordModel,
    "pipes-kafka": KafkaPipeRecordModel,
    "pipes-kafka-self-managed": KafkaPipeRecordModel,
    "pipes-activemq": ActiveMQPipeMessageModel,
    "pipes-rabbitmq": RabbitMQPipeMessageModel,
}


OF_MAPPING = {"pipes-mq": "activemq"}


class Order(BaseModel):
    order: int


class OrderMessage(SqsPipeRecordModel):
    body: Json[Order]


class OrderRecord(KinesisPipeRecordModel):
    data: Json[Order]


class OrderChange(DynamoDBStreamChangedRecordModel):
    NewImage: Order | None = None


class OrderChanged(DynamoDBPipeRecordModel):
    dynamodb: OrderChange


class OrderOfTopic(KafkaPipeRecordModel):
    value: Json[Order]


class OrderOfActiveMQ(ActiveMQPipeMessageModel):
    data: Json[Order]


class OrderOfRabbitMQ(RabbitMQPipeMessageModel):
    data: Json[Order]


ORDERS: dict[str, tuple[type[BaseModel], Callable[[Any], Any]]] = {
    "pipes-sqs": (OrderMessage, lambda record: record.body),
    "pipes-kinesis": (OrderRecord, lambda record: record.data),
    "pipes-dynamodb": (OrderChanged, lambda record: record.dynamodb.NewImage),
    "pipes-kafka": (OrderOfTopic, lambda record: record.value),
    "pipes-mq": (OrderOfActiveMQ, lambda record: record.data),
}


def test_the_names_are_sorted_and_there() -> None:
    assert batchcore_pipes.models.__all__ == sorted(batchcore_pipes.models.__all__)
    assert all(issubclass(getattr(batchcore_pipes.models, name), BaseModel) for name in batchcore_pipes.models.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Other'"):
        batchcore_pipes.models.Other  # noqa: B018 - the access is what is tested


@pytest.mark.parametrize("name", SAMPLES)
def test_the_sample_fits_its_model(name: str, sample: Callable[[str], Any]) -> None:
    raw = sample(name)[0]
    dumped = SAMPLES[name].model_validate(raw).model_dump(exclude_unset=True)

    assert dumped.keys() == raw.keys()


@pytest.mark.parametrize("name", MODELS)
def test_a_handler_gets_what_the_model_makes_of_a_record_and_a_bad_one_fails_alone(name: str) -> None:
    model, order_of = ORDERS[name]
    event: list[Any] = make_event(name, {"order": 1}, {"order": "x"})

    got: list[Any] = []
    processor = BatchProcessor(name, model=model)
    if name in ("pipes-kafka", "pipes-mq"):
        with pytest.raises(WholeBatchRetry, match="1 of 2"):
            processor.run(event, lambda record: got.append(order_of(record)))
    else:
        response = processor.run(event, lambda record: got.append(order_of(record))).response
        assert len(response["batchItemFailures"]) == 1

    assert got == [Order(order=1)]


def test_a_message_of_rabbitmq_has_a_model_of_its_own() -> None:
    event = make_event(RabbitMQPipeEvents(), {"order": 1})

    (order,) = BatchProcessor("pipes-mq", model=OrderOfRabbitMQ).run(event, lambda message: message.data).return_values

    assert order == Order(order=1)
    with pytest.raises(pydantic.ValidationError, match="eventSource"):
        ActiveMQPipeMessageModel.model_validate(event[0])


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_a_pipe_is_refused_for_a_mapping_and_the_other_way_round(name: str) -> None:
    of_mapping = OF_MAPPING.get(name, name.removeprefix("pipes-"))

    with pytest.raises(ConfigurationError, match=f"records from '{name}' and this processor reads '{of_mapping}'"):
        BatchProcessor(of_mapping, model=MODELS[name])
    other = next(other for other in MODELS if other != name)
    with pytest.raises(ConfigurationError, match=f"records from '{other}' and this processor reads '{name}'"):
        BatchProcessor(name, model=MODELS[other])


def test_a_model_in_the_place_of_the_text_is_refused_when_a_processor_is_made() -> None:
    class Wrong(KinesisPipeRecordModel):
        data: Order

    with pytest.raises(ConfigurationError, match="data: Json"):
        BatchProcessor("pipes-kinesis", model=Wrong)


@pytest.mark.parametrize(("name", "model"), [(name, model.__name__) for name, model in MODELS.items()])
def test_a_model_loads_the_package_of_its_own_source_alone(name: str, model: str) -> None:
    program = f"import sys; from batchcore_pipes.models import {model}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    loaded = {each for each in done.stdout.split() if each.startswith("batchcore_") and "." not in each}
    assert loaded == {"batchcore_pipes", f"batchcore_{name.removeprefix('pipes-')}"}
