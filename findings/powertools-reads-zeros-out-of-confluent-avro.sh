#!/usr/bin/env bash
# aws-lambda-powertools 3.37.0 with what confluent-kafka 2.16.1 wrote: kafka_consumer with value_schema_type="AVRO" and the
# right schema. Where the mapping has no schema registry, Lambda hands on the bytes as they lie in the topic, and
# AvroSerializer puts a zero and the schema's identifier before the record. One would guess that the five bytes are skipped,
# or an error. They are read as the record: id 0, no note, amount 0, no error, for every record alike, and what is left
# over is ignored. A batch processor then reports success. Cut the first five bytes off the value, and all is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install \
    'aws-lambda-powertools[kafka-consumer-avro]==3.37.0' 'confluent-kafka[avro,schemaregistry]==2.16.1'

"$folder/env/bin/python" - <<'PROGRAM'
import base64
import json

from aws_lambda_powertools.utilities.kafka import SchemaConfig, kafka_consumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

fields = [{"name": "id", "type": "int"}, {"name": "note", "type": "string"}, {"name": "amount", "type": "long"}]
schema = json.dumps({"type": "record", "name": "Order", "fields": fields})
serializer = AvroSerializer(SchemaRegistryClient.new_client({"url": "mock://orders"}), schema)
orders = [{"id": 42, "note": "urgent", "amount": 7}, {"id": 43, "note": "paid", "amount": 990}]
values = [serializer(order, SerializationContext("orders", MessageField.VALUE, [])) for order in orders]
assert all(value[0] == 0 for value in values)


@kafka_consumer(schema_config=SchemaConfig(value_schema_type="AVRO", value_schema=schema))
def handler(event, context):
    return [record.value for record in event.records]


def handled(values):
    records = [
        {
            "topic": "orders",
            "partition": 0,
            "offset": offset,
            "timestamp": 1795000000000,
            "timestampType": "CREATE_TIME",
            "value": base64.b64encode(value).decode(),
            "headers": [],
        }
        for offset, value in enumerate(values)
    ]
    source = {
        "eventSource": "aws:kafka",
        "eventSourceArn": "arn:aws:kafka:eu-west-1:123456789012:cluster/shop/1",
        "bootstrapServers": "broker:9092",
    }
    return handler({**source, "records": {"orders-0": records}}, None)


assert handled(value[5:] for value in values) == orders
seen = handled(values)
assert seen == [{"id": 0, "note": "", "amount": 0}] * 2, seen
PROGRAM
echo "As seen: two different orders, written with Confluent's prefix, are both read as id 0, no note, amount 0."
