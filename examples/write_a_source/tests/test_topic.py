from batchcore import BatchProcessor


def test_each_record_is_done_once_and_in_order(simulator):
    failed = set()

    def record_handler(record):
        number = record.json_value
        if number % 10 == 7 and number not in failed:
            failed.add(number)
            raise ConnectionError("not now")

    topic = simulator.topic("acme-kafka", partitions=2)
    topic.send(*range(50))
    simulator.mapping(topic, processor=BatchProcessor("acme-kafka"), record_handler=record_handler).drain().check()
