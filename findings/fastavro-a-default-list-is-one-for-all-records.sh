#!/usr/bin/env bash
# fastavro 1.13.1: a field that only the reader's schema has gets its default. For a list, a map or a record one would expect
# a new one for each record, as a decoded list is. It is the very object of the schema: what a handler appends to one
# record's list stands in the lists of all records before and after it, in every later batch, and in the caller's schema.
# And the default is not converted as a decoded value is: a timestamp comes as an int.
# Whoever reads old records with a newer schema should copy them (copy.deepcopy) before a handler gets them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install fastavro==1.13.1

"$folder/env/bin/python" - <<'PROGRAM'
import io
from datetime import datetime

from fastavro import parse_schema, schemaless_reader, schemaless_writer

identifier = {"name": "id", "type": "string"}
tags = {"name": "tags", "type": {"type": "array", "items": "string"}, "default": []}
paid = {"name": "paid", "type": {"type": "long", "logicalType": "timestamp-millis"}, "default": 0}
newer = {"type": "record", "name": "Order", "fields": [identifier, tags, paid]}
older = {"type": "record", "name": "Order", "fields": [identifier]}


def read(written_as, **order):
    content = io.BytesIO()
    schemaless_writer(content, parse_schema(written_as), order)
    content.seek(0)
    return schemaless_reader(content, parse_schema(written_as), parse_schema(newer))


# Decoded: a list and a datetime of its own for each record.
first, second = (read(newer, id=name, tags=[], paid=0) for name in "ab")
first["tags"].append("urgent")
assert second["tags"] == [] and isinstance(second["paid"], datetime), second

# By default: one list for all, and a bare number.
first = read(older, id="a")
first["tags"].append("urgent")
second = read(older, id="b")
assert second == {"id": "b", "tags": ["urgent"], "paid": 0}, second
assert second["tags"] is first["tags"]
assert tags["default"] == ["urgent"], newer
PROGRAM
echo "As seen: a tag appended to one order is in the next order, and in the schema."
