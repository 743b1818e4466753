"""The pydantic model of an SQS message, as a pipe delivers it. Needs batchcore-sqs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from batchcore_sqs.models import SqsRecordModel


class SqsPipeRecordModel(SqsRecordModel):
    """An SQS message. It has the fields that Lambda delivers."""

    __batch_source__: ClassVar[str] = "pipes-sqs"

    if TYPE_CHECKING:

        def model_post_init(self, context: Any, /) -> None:
            """Tell the type checker that it is no longer a model of the source ``sqs``."""
