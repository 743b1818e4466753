#!/usr/bin/env bash
# sentry-sdk 2.75.0: a thread gets scopes of its own, so that tags of one are on no event of another. Where the thread runs
# its work in a copy of the caller's context, as asyncio.to_thread() and everything does that carries context variables
# along, the copy brings the caller's scopes back: they are objects, and all threads share them. An event then has the tags
# that another thread has set last. Tasks share one too. Each piece of work needs `with sentry_sdk.isolation_scope()`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install sentry-sdk==2.75.0

"$folder/env/bin/python" - <<'PROGRAM'
import asyncio
import threading

import sentry_sdk

events = []


class Kept(sentry_sdk.Transport):
    def capture_envelope(self, envelope):
        events.extend(item.payload.json for item in envelope.items if item.type == "event")


sentry_sdk.init(dsn="http://key@127.0.0.1/1", transport=Kept)
turns = [threading.Event() for _ in range(2)]


def work(number):
    if number == 0:
        sentry_sdk.set_tag("order", "0")
        turns[0].set()
        turns[1].wait(10)
    else:
        turns[0].wait(10)
        sentry_sdk.set_tag("order", "1")
        turns[1].set()
    sentry_sdk.capture_message(f"order {number}")


def isolated(number):
    with sentry_sdk.isolation_scope():
        work(number)


def told():
    """Return the tag of each event, by its message; there are no others then."""
    tags = {event["message"]: event["tags"]["order"] for event in events}
    events.clear()
    for turn in turns:
        turn.clear()
    return tags


async def side_by_side(function):
    await asyncio.gather(*(asyncio.to_thread(function, number) for number in range(2)))


threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
seen = told()
assert seen == {"order 0": "0", "order 1": "1"}, seen

sentry_sdk.get_isolation_scope()
asyncio.run(side_by_side(work))
assert told() == {"order 0": "1", "order 1": "1"}

asyncio.run(side_by_side(isolated))
seen = told()
assert seen == {"order 0": "0", "order 1": "1"}, seen
PROGRAM
echo "As seen: with to_thread(), the event of one order has the tag of the other."
