from acme_kafka import KafkaRecord
from batchcore import BatchProcessor
from batchcore_testing import make_event


def record_handler(record: KafkaRecord) -> None:
    print("handled", record.json_value)


event = make_event("acme-kafka", {"order": 17}, "no JSON", {"order": 19})
print(BatchProcessor("acme-kafka").run(event, record_handler).response)
