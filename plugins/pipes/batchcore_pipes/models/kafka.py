"""The pydantic model of a record of Kafka, as a pipe delivers it. Needs batchcore-kafka."""

from __future__ import annotations

from typing import ClassVar

from batchcore_kafka.models import KafkaRecordModel


class KafkaPipeRecordModel(KafkaRecordModel):
    """A record of Kafka, of a cluster of Amazon MSK or another. ``key`` and ``value`` are decoded from base64."""

    __batch_source__: ClassVar[str] = "pipes-kafka"

    eventSource: str
    eventSourceArn: str | None = None
    eventSourceKey: str | None = None
    bootstrapServers: str | None = None
