"""Pydantic models of a task of S3 Batch Operations. Needs the extra ``pydantic``; nothing else here imports it.

Fields have the names of the event; what the event has besides is ignored. A handler that gets a model takes the
arguments of the job by a parameter ``user_arguments``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pydantic import BaseModel, field_validator

from batchcore_s3batch.record import decoded_key

if TYPE_CHECKING:
    from typing import TypeAlias

    T = TypeVar("T")
    # Any lets a subclass give the field another type: to a type checker a plain field has one type for good.
    Replaceable: TypeAlias = T | Any
else:

    class Replaceable:
        """The type itself, to pydantic."""

        def __class_getitem__(cls, kind: object) -> object:
            return kind


class S3BatchTaskModel(BaseModel):
    """A task. ``s3Key`` is decoded; a subclass may parse it: ``s3Key: Json[Move]``, of a manifest that says more.

    One of ``s3BucketArn`` (schema 1.0) and ``s3Bucket`` (schema 2.0) is there.
    """

    __batch_source__: ClassVar[str] = "s3batch"
    __batch_text__: ClassVar[tuple[str, ...]] = ("s3Key",)

    taskId: str
    s3Key: Replaceable[str]
    s3VersionId: str | None = None
    s3BucketArn: str | None = None
    s3Bucket: str | None = None

    @field_validator("s3Key", mode="before")
    @classmethod
    def _decode_key(cls, value: Any) -> Any:
        return decoded_key(value) if isinstance(value, str) else value
