from typing import Any

from batchcore import Batch, Ordering, RecordView, binary, by_key, hookimpl
from batchcore.records import decode_json, decode_text


class KafkaRecord(RecordView):
    @property
    def json_value(self) -> Any:
        data = binary.decode_base64(self["value"], "value")
        return decode_json(decode_text(data, "value"), "value")


def partition_of(record: Any) -> str:
    return f"{record['topic']}-{int(record['partition'])}"


class KafkaSource:
    name = "acme-kafka"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return event["eventSource"] in ("aws:kafka", "SelfManagedKafka", "aws:SelfManagedKafka")

    @hookimpl
    def extract_records(self, event: Any) -> list[Any]:
        return [record for records in event["records"].values() for record in records]

    @hookimpl
    def identify_records(self, records: Any) -> list[Any]:
        return [{"partition": partition_of(record), "offset": int(record["offset"])} for record in records]

    @hookimpl
    def record_decoder(self, batch: Batch) -> type[KafkaRecord]:
        return KafkaRecord

    @hookimpl
    def ordering_policy(self, batch: Batch) -> Ordering:
        return by_key(partition_of)

    @hookimpl
    def acknowledgement(self) -> str:
        return "checkpoint"

    @hookimpl
    def checkpoint_of(self, record: Any) -> str:
        return partition_of(record)
