#!/usr/bin/env bash
# sentry-sdk 2.75.0: an ExceptionGroup that is raised comes with all its members, each with its stack trace. One would guess
# the same for `raise BatchFailed from group`, the usual way to say that the records of a batch failed. The event then holds
# the group's own message and no member: neither the types nor the texts nor one line of the records' code, though Python's
# own traceback prints them all. Whoever raises a summary at the end of a batch must report the members by themselves.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install sentry-sdk==2.75.0
"$folder/env/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Skipped: exception groups need Python 3.11."
    exit 0
}

"$folder/env/bin/python" - <<'PROGRAM'
import traceback

import sentry_sdk

events = []


class Kept(sentry_sdk.Transport):
    def capture_envelope(self, envelope):
        events.extend(item.payload.json for item in envelope.items if item.type == "event")


sentry_sdk.init(dsn="http://key@127.0.0.1/1", transport=Kept)


class BatchFailed(Exception):
    pass


def reported(error):
    """Return the types of what Sentry is told of an error, sorted."""
    sentry_sdk.capture_exception(error)
    return sorted(each["type"] for each in events.pop()["exception"]["values"])


def handle(record):
    return {}[record] if record == "b" else int(record)


failures = []
for record in "ab":
    try:
        handle(record)
    except Exception as error:
        failures.append(error)
try:
    raise ExceptionGroup("2 records failed", failures)
except ExceptionGroup as error:
    group = error
assert reported(group) == ["ExceptionGroup", "KeyError", "ValueError"]

try:
    raise BatchFailed from group
except BatchFailed as error:
    failed = error
assert reported(failed) == ["BatchFailed", "ExceptionGroup"]
printed = "".join(traceback.format_exception(failed))
assert "KeyError: 'b'" in printed and "ValueError: invalid literal" in printed, printed

try:
    raise BatchFailed from failures[0]
except BatchFailed as error:
    assert reported(error) == ["BatchFailed", "ValueError"]
PROGRAM
echo "As seen: the raised group is reported with its two members, the group as a cause with none."
