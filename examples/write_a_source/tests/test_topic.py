from acme_kafka import KafkaRecord
from batchcore import BatchProcessor
from batchcore_testing import Simulator


def test_each_record_is_done_once_and_in_order(simulator: Simulator) -> None:
    failed: set[int] = set()

    def record_handler(record: KafkaRecord) -> None:
        number = record.json_value
        if number % 10 == 7 and number not in failed:
            failed.add(number)
            raise ConnectionError("not now")

    topic = simulator.topic("acme-kafka", partitions=2)
    topic.send(*range(50))
    simulator.mapping(topic, processor=BatchProcessor("acme-kafka"), record_handler=record_handler).drain().check()
