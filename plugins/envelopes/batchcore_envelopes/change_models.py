"""Models of a change that a table writes to a Kinesis stream. They need ``batchcore-dynamodb``, and its pydantic."""

from __future__ import annotations

from typing import Literal

from batchcore_dynamodb.models import DynamoDBStreamChangedRecordModel, DynamoDBStreamRecordModel
from batchcore_envelopes.models import Replaceable  # noqa: TC001 - pydantic evaluates it


class TableChangedModel(DynamoDBStreamChangedRecordModel):
    """What changed. ``SequenceNumber`` and ``StreamViewType`` are None: a Kinesis stream has neither."""

    ApproximateCreationDateTimePrecision: Literal["MILLISECOND", "MICROSECOND"] | None = None


class TableChangeModel(DynamoDBStreamRecordModel):
    """A change of a table. ``eventSourceARN`` is None: a Kinesis stream has none."""

    tableName: str | None = None
    recordFormat: str | None = None
    dynamodb: Replaceable[TableChangedModel]
