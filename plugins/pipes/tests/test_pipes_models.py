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
from batchcore import BatchProcessor, ConfigurationError
from batchcore_dynamodb.models import DynamoDBStreamChangedRecordModel
from batchcore_pipes.models import DynamoDBPipeRecordModel, KinesisPipeRecordModel, SqsPipeRecordModel
from batchcore_testing import make_event

MODELS = {
    "pipes-sqs": SqsPipeRecordModel,
    "pipes-kinesis": KinesisPipeRecordModel,
    "pipes-dynamodb": DynamoDBPipeRecordModel,
}


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


ORDERS: dict[str, tuple[type[BaseModel], Callable[[Any], Any]]] = {
    "pipes-sqs": (OrderMessage, lambda record: record.body),
    "pipes-kinesis": (OrderRecord, lambda record: record.data),
    "pipes-dynamodb": (OrderChanged, lambda record: record.dynamodb.NewImage),
}


def test_the_names_are_sorted_and_there() -> None:
    assert batchcore_pipes.models.__all__ == sorted(batchcore_pipes.models.__all__)
    assert all(issubclass(getattr(batchcore_pipes.models, name), BaseModel) for name in batchcore_pipes.models.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Other'"):
        batchcore_pipes.models.Other  # noqa: B018 - the access is what is tested


@pytest.mark.parametrize("name", MODELS)
def test_the_sample_fits_its_model(name: str, sample: Callable[[str], Any]) -> None:
    raw = sample(name)[0]
    dumped = MODELS[name].model_validate(raw).model_dump(exclude_unset=True)

    assert dumped.keys() == raw.keys()


@pytest.mark.parametrize("name", MODELS)
def test_a_handler_gets_what_the_model_makes_of_a_record_and_a_bad_one_fails_alone(name: str) -> None:
    model, order_of = ORDERS[name]
    event: list[Any] = make_event(name, {"order": 1}, {"order": "x"})

    result = BatchProcessor(name, model=model).run(event, order_of)

    assert result.return_values == [Order(order=1)]
    assert len(result.response["batchItemFailures"]) == 1


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_a_pipe_is_refused_for_a_mapping_and_the_other_way_round(name: str) -> None:
    of_mapping = name.removeprefix("pipes-")

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
