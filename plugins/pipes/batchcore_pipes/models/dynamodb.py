"""The pydantic model of a record of a DynamoDB stream, as a pipe delivers it. Needs batchcore-dynamodb."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from batchcore_dynamodb.models import DynamoDBStreamRecordModel


class DynamoDBPipeRecordModel(DynamoDBStreamRecordModel):
    """A record of a DynamoDB stream. It has the fields that Lambda delivers."""

    __batch_source__: ClassVar[str] = "pipes-dynamodb"

    if TYPE_CHECKING:

        def model_post_init(self, context: Any, /) -> None:
            """Tell the type checker that it is no longer a model of the source ``dynamodb``."""
