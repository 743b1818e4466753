from batchcore import RecordView, by_key, hookimpl
from batchcore.binary import decode_base64
from batchcore.decoding import decode_json, decode_text


class KafkaRecord(RecordView):
    @property
    def json_value(self):
        return decode_json(decode_text(decode_base64(self["value"], "value"), "value"), "value")


def partition_of(record):
    return f"{record['topic']}-{int(record['partition'])}"


class KafkaSource:
    name = "acme-kafka"

    @hookimpl
    def claims_event(self, event):
        return event["eventSource"] in ("aws:kafka", "SelfManagedKafka", "aws:SelfManagedKafka")

    @hookimpl
    def extract_records(self, event):
        return [record for records in event["records"].values() for record in records]

    @hookimpl
    def identify_records(self, records):
        return [{"partition": partition_of(record), "offset": int(record["offset"])} for record in records]

    @hookimpl
    def record_decoder(self, batch):
        return KafkaRecord

    @hookimpl
    def ordering_policy(self, batch):
        return by_key(partition_of)

    @hookimpl
    def event_factory(self):
        from batchcore.testing import KafkaEvents

        return KafkaEvents()
