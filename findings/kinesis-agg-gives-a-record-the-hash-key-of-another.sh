#!/usr/bin/env bash
# aws-kinesis-agg 1.2.3 (protobuf 7.36.2): of two records in one aggregate the first has an explicit hash key, the second has
# none. One would guess that the second comes out with None. It comes out with the hash key of the first, since a missing
# index of protobuf reads as 0; the package packed both itself. An aggregate in which none has one gives None.
# Whoever puts such records into another stream, a retry or a fan-out, sends them by a key that is not theirs: to another
# shard than the rest of their partition key, and so out of order. `data` comes out as bytes, not as text as in an event.
# The package imports six and does not ask for it, so six is installed here by name.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install \
    aws-kinesis-agg==1.2.3 protobuf==7.36.2 six==1.17.0

"$folder/env/bin/python" - <<'PROGRAM'
import base64
from importlib.metadata import requires

from aws_kinesis_agg.aggregator import RecordAggregator
from aws_kinesis_agg.deaggregator import deaggregate_records


def there_and_back(*records):
    """Return what comes out of one aggregate of these partition keys, hash keys and data."""
    aggregator = RecordAggregator()
    for partition_key, hash_key, data in records:
        assert aggregator.add_user_record(partition_key, data, hash_key) is None
    partition_key, _, content = aggregator.clear_and_get().get_contents()
    record = {
        "eventID": "shardId-000000000000:1",
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": partition_key,
            "sequenceNumber": "1",
            "approximateArrivalTimestamp": 1795000000.0,
            "data": base64.b64encode(content).decode(),
        },
    }
    inner = [each["kinesis"] for each in deaggregate_records([record])]
    assert all(isinstance(each["data"], bytes) for each in inner), inner
    return [(each["partitionKey"], each["explicitHashKey"], base64.b64decode(each["data"])) for each in inner]


as_sent = [("north", None, b"1"), ("south", None, b"2")]
assert there_and_back(*as_sent) == as_sent
seen = there_and_back(("north", "7", b"1"), ("south", None, b"2"), ("west", "9", b"3"), ("south", None, b"4"))
assert seen == [("north", "7", b"1"), ("south", "7", b"2"), ("west", "9", b"3"), ("south", "7", b"4")], seen
assert not any(each.startswith("six") for each in requires("aws-kinesis-agg") or ())
PROGRAM
echo "As seen: two records without a hash key come out with the one of the first record of their aggregate."
