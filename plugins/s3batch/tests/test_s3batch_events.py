"""The events that the factory makes are those of AWS, field by field; and the model takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from batchcore import BatchProcessor, ConfigurationError
from batchcore_s3batch import S3BatchTask
from batchcore_s3batch.events import S3BatchEvents
from batchcore_testing import make_event, make_record

Sample = Callable[[str], dict[str, Any]]


def shape(value: Any) -> Any:
    """Give what fields a value has, and of what types they are."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return shape(value[0]) if isinstance(value, list) else type(value).__name__


def test_an_event_has_the_fields_of_aws_and_no_others(sample: Sample) -> None:
    first = make_event(S3BatchEvents(), "a")
    second = make_event(S3BatchEvents("2.0", {"k1": "v1", "k2": "v2"}), "a")

    assert shape(first) == shape(sample("s3BatchOperationEventSchemaV1"))
    assert shape(second) == shape(sample("s3BatchOperationEventSchemaV2"))
    assert second["job"]["userArguments"] == {"k1": "v1", "k2": "v2"}
    assert [first["invocationSchemaVersion"], second["invocationSchemaVersion"]] == ["1.0", "2.0"]


@pytest.mark.parametrize("schema", ["1.0", "2.0"])
@pytest.mark.parametrize(
    ("content", "key"),
    [("orders/a b+c.json", "orders/a b+c.json"), ("gr\u00fc", "gr\u00fc"), ({"a": 1}, '{"a": 1}')],
)
def test_the_content_is_the_key_encoded_as_aws_does(schema: Any, content: Any, key: str) -> None:
    record = make_record(S3BatchEvents(schema), content)

    assert record["s3Key"].isascii()
    assert " " not in record["s3Key"]
    assert S3BatchTask(record).s3_key == key
    assert S3BatchTask(record).s3_bucket == "orders"


def test_ids_differ() -> None:
    assert len({record["taskId"] for record in make_event("s3batch", *["a"] * 20)["tasks"]}) == 20


@pytest.mark.parametrize(("schema", "arguments"), [("3.0", None), ("1.0", {"a": "b"}), ("1.0", {})])
def test_a_schema_that_there_is_not_or_has_no_arguments_is_refused(schema: Any, arguments: Any) -> None:
    with pytest.raises(ConfigurationError, match="The schema is"):
        S3BatchEvents(schema, arguments)


# The model.


@pytest.mark.parametrize("schema", ["1.0", "2.0"])
def test_a_task_fits_the_model(schema: Any) -> None:
    pytest.importorskip("pydantic")
    from batchcore_s3batch.models import S3BatchTaskModel

    raw = make_record(S3BatchEvents(schema), "a b.json")
    model = S3BatchTaskModel.model_validate(raw)

    assert model.s3Key == "a b.json"
    assert model.model_dump(exclude={"s3Key"}, exclude_none=True) == {
        name: value for name, value in raw.items() if name != "s3Key" and value is not None
    }


def test_a_key_that_says_more_is_parsed_and_one_that_does_not_fit_fails_alone() -> None:
    pydantic = pytest.importorskip("pydantic")
    from batchcore_s3batch.models import S3BatchTaskModel

    class Move(pydantic.BaseModel):  # type: ignore[name-defined,misc]
        origKey: str
        newKey: str

    class MoveTask(S3BatchTaskModel):
        s3Key: pydantic.Json[Move]  # type: ignore[name-defined]

    event = make_event("s3batch", {"origKey": "a", "newKey": "b"}, "c.json", {"origKey": "d"})
    result = BatchProcessor("s3batch", model=MoveTask).run(event, lambda record: record.s3Key.newKey)

    assert result.return_values == ["b"]
    results: Any = result.response["results"]  # type: ignore[typeddict-item]
    assert [each["resultCode"] for each in results] == ["Succeeded", "TemporaryFailure", "TemporaryFailure"]
    assert "c.json" not in results[1]["resultString"]


def test_a_model_of_a_task_is_refused_by_another_source_and_one_without_json_by_all() -> None:
    pydantic = pytest.importorskip("pydantic")
    from batchcore_s3batch.models import S3BatchTaskModel

    class Move(pydantic.BaseModel):  # type: ignore[name-defined,misc]
        origKey: str

    class WithoutJson(S3BatchTaskModel):
        s3Key: Move

    with pytest.raises(ConfigurationError, match="s3batch"):
        BatchProcessor("sqs", model=S3BatchTaskModel)
    with pytest.raises(ConfigurationError, match="s3Key"):
        BatchProcessor("s3batch", model=WithoutJson)


@pytest.mark.parametrize("key", ["%FF", None, 17])
def test_a_key_that_cannot_be_decoded_is_not_valid(key: Any) -> None:
    pydantic = pytest.importorskip("pydantic")
    from batchcore_s3batch.models import S3BatchTaskModel

    with pytest.raises(pydantic.ValidationError):
        S3BatchTaskModel.model_validate(make_record("s3batch", "a", s3Key=key))
