"""Amazon EventBridge Pipes as a source of batchcore. Importing this package offers the sources of a pipe, by name."""

from __future__ import annotations

from batchcore import offer
from batchcore_pipes.hooks import (
    PipesDynamoDB,
    PipesKafka,
    PipesKinesis,
    PipesMQ,
    PipeSource,
    PipesSQS,
    item_key,
    partition,
    partition_key,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from batchcore_pipes.record import KinesisPipeRecord

__all__ = [
    "KinesisPipeRecord",
    "PipeSource",
    "PipesDynamoDB",
    "PipesKafka",
    "PipesKinesis",
    "PipesMQ",
    "PipesSQS",
    "item_key",
    "partition",
    "partition_key",
]

for _source in (PipesSQS, PipesKinesis, PipesDynamoDB, PipesKafka, PipesMQ):
    offer(_source.name, _source)

if not TYPE_CHECKING:  # a checker that saw it would take any name, and misspelt ones too

    def __getattr__(name: str) -> object:
        """Return the record of Kinesis, which needs batchcore-kinesis, when somebody asks for it."""
        if name != "KinesisPipeRecord":
            raise AttributeError(f"module 'batchcore_pipes' has no attribute {name!r}")
        from batchcore_pipes.record import KinesisPipeRecord

        return KinesisPipeRecord
