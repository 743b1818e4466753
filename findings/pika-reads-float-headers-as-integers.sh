#!/usr/bin/env bash
# pika 1.4.4 beside pamqp 4.0.1, the codec of aio-pika: a float in the headers of a message should arrive as a float, or as
# an error. pika cannot write one (it raises), but it reads one, of 32 or of 64 bits, and makes an integer of it: 0.1
# arrives as 0, -2.75 as -2, without a word. So a price, a deadline or a share that an aio-pika producer puts into a header
# loses its fraction only at the consumer that uses pika. Whoever routes or limits a batch by headers should send text.
# Both sides work on the bytes of the protocol here; a broker hands them on as they are.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install pika==1.4.4 pamqp==4.0.1

"$folder/env/bin/python" - <<'PROGRAM'
from decimal import Decimal

from pamqp.commands import Basic
from pika.exceptions import UnsupportedAMQPFieldException
from pika.spec import BasicProperties


def read_by_pika(**headers):
    read = BasicProperties()
    read.decode(Basic.Properties(headers=headers).marshal())
    return read.headers


assert read_by_pika(attempt=3, tried=True, price=Decimal("0.10")) == {"attempt": 3, "tried": True, "price": Decimal("0.1")}
read = read_by_pika(share=0.1, change=-2.75, deadline=1700000000.9)
assert read["share"] == 0, read
assert read["change"] == -2, read
assert read["deadline"] == 1700000000, read
assert all(isinstance(value, int) for value in read.values()), read

# The same with 64 bits, the other width that the protocol has.
table = b"\x05shared" + bytes.fromhex("3fb999999999999a")
read = BasicProperties()
read.decode(b"\x20\x00" + len(table).to_bytes(4, "big") + table)
assert read.headers == {"share": 0}, read.headers

try:
    BasicProperties(headers={"share": 0.1}).encode()
except UnsupportedAMQPFieldException:
    pass
else:
    raise AssertionError("pika wrote a float")
PROGRAM
echo "As seen: pika reads the header 0.1 as 0 and -2.75 as -2, and refuses to write either."
