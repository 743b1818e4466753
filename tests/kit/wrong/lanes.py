"""Sources whose lanes count by themselves: streams of Redis, as they should be and as they are named by the id alone.

An entry of Redis has an id that counts in its stream, so two streams may give the same one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from batchcore import by_key, hookimpl
from batchcore.records import identify
from batchcore_testing import EventFactory, KafkaEvents, Sent, make_event

from .plain import Kafka


def stream_of(record: Any) -> Any:
    return record["stream"]


def entries_event(n: int) -> Any:
    """Two streams, whose ids never happen to be the same."""
    return {"entries": [_entry(f"stream-{number % 2}", f"{1000 + number}-0", number) for number in range(n)]}


def entries_event_of_one_id(n: int) -> Any:
    """Two streams, whose ids are the same."""
    return {"entries": [_entry(f"stream-{number % 2}", f"{1000 + number // 2}-0", number) for number in range(n)]}


def entries_event_that_nearly_repeats(n: int) -> Any:
    """Two streams: the second has an id of its own that the first has too, further on."""
    numbers = range(n)
    return {"entries": [_entry(f"stream-{at % 2}", f"{1000 + at // 2 + at % 2}-0", at) for at in numbers]}


def grouped_event(n: int) -> Any:
    """A list for each stream, whose ids never happen to be the same."""
    streams: dict[str, list[Any]] = {}
    for entry in entries_event(n)["entries"]:
        streams.setdefault(entry["stream"], []).append(entry)
    return {"streams": streams}


def kafka_event_of_different_offsets(n: int) -> Any:
    """Two partitions, whose offsets never happen to be the same."""
    made = make_event(Kafka(), *range(n), lanes=2)
    records = [record for records in made["records"].values() for record in records]
    return KafkaEvents().event([{**record, "offset": 100 + at} for at, record in enumerate(records)])


def _entry(stream: str, name: str, number: int) -> Any:
    return {"stream": stream, "id": name, "fields": {"data": json.dumps({"order": 1000 + number})}}


class EntryEvents(EventFactory):
    """Makes entries: the key is the stream, and the id is where the entry stands in it."""

    def record(self, sent: Sent) -> Any:
        content = sent.content if isinstance(sent.content, str) else json.dumps(sent.content)
        return {
            "stream": sent.key or sent.resource,
            "id": f"{1000 + sent.sequence}-0",
            "fields": {"data": content},
        }

    def event(self, records: Any) -> Any:
        return {"entries": list(records)}


class EntriesOfResources(EntryEvents):
    """Makes entries: the resource is the stream."""

    def record(self, sent: Sent) -> Any:
        return {**super().record(sent), "stream": sent.resource}

    def lane(self, position: int, lanes: int) -> Mapping[str, Any]:
        return {"resource": f"stream-{position % lanes}", "sequence": position}


class EntriesOfOneCount(EntryEvents):
    """Makes entries whose ids count what was sent, whatever their stream."""

    def record(self, sent: Sent) -> Any:
        return {**super().record(sent), "id": f"{1000 + sent.number}-0"}


class Redis:
    """Entries of several streams, as they should be named."""

    name = "redis"
    factory: EventFactory | None = EntryEvents()

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, dict) and isinstance(event.get("entries"), list)

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return event["entries"]

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return [
            {"stream": stream, "id": name}
            for stream, name in zip(identify("stream")(records), identify("id")(records), strict=True)
        ]

    @hookimpl
    def ordering_policy(self, batch: Any) -> Any:
        return by_key(stream_of)


class NamesByTheId(Redis):
    """Names an entry by its id alone.

    A failure in one stream leaves an entry of another pending, or acknowledges it.
    """

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return identify("id")(records)


class NamesByTheIdOfResources(NamesByTheId):
    """The same, with a factory whose streams are resources."""

    factory = EntriesOfResources()


class LeavesPending(Redis):
    """Answers in the words of its poller, as it should."""

    factory = EntriesOfOneCount()

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        pending: dict[str, list[str]] = {}
        for outcome in outcomes.unfinished():
            pending.setdefault(outcome.record["stream"], []).append(outcome.record["id"])
        return {"leavePending": pending}

    def reads(self, event: Any, response: Any) -> Iterable[int]:
        """Give what the poller leaves pending."""
        pending = response["leavePending"]
        return [at for at, record in enumerate(event["entries"]) if record["id"] in pending.get(record["stream"], ())]


class LeavesPendingByTheId(LeavesPending):
    """Names an entry by its id, though its response has the stream, and its factory never gives an id twice."""

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return identify("id")(records)


class NamesByWhateverIsThere(LeavesPending):
    """Names an entry by its id of whatever type, and fails when it answers: a list is no key of a dictionary."""

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return [{"stream": record["stream"], "id": record["id"]} for record in records]

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        pending: dict[str, set[str]] = {}
        for outcome in outcomes.unfinished():
            pending.setdefault(outcome.identifier["stream"], set()).add(outcome.identifier["id"])
        return {"leavePending": {stream: sorted(names) for stream, names in pending.items()}}


class FindsByTheId(LeavesPending):
    """Names entries rightly, and finds them by their id when it answers."""

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        stream_of_id = {record["id"]: record["stream"] for record in batch.records}
        pending: dict[str, list[str]] = {}
        for outcome in outcomes.unfinished():
            pending.setdefault(stream_of_id[outcome.record["id"]], []).append(outcome.record["id"])
        return {"leavePending": pending}


class Grouped(Redis):
    """Entries in a list for each stream, as they should be named."""

    factory = None

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, dict) and isinstance(event.get("streams"), dict)

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return [record for records in event["streams"].values() for record in records]


class GroupedByTheId(Grouped):
    """Names an entry of a list by its id alone."""

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return identify("id")(records)


class GroupedAnewByTheId(GroupedByTheId):
    """The same, with records that are made anew of the event."""

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return [
            {**record, "stream": stream} if isinstance(record, dict) else record
            for stream, records in event["streams"].items()
            for record in records
        ]


class GivesAnIdOnce(GroupedByTheId):
    """A service that never gives an id twice, and says so: the id alone is right."""

    identifiers_repeat = False


class SaysThatIdsRepeat(NamesByTheId):
    """A factory that counts what was sent, and a test that says what Redis does."""

    factory = EntriesOfOneCount()
    identifiers_repeat = True


class Till(NamesByTheId):
    """A queue with groups: nothing tells that its ids are given twice, and they are not. The id alone is right."""

    factory = EntriesOfOneCount()


class TillThatIsRead(Till):
    """The same, with a response of its own that names ids alone."""

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        return {"again": [outcome.identifier for outcome in outcomes.unfinished()]}

    def reads(self, event: Any, response: Any) -> Iterable[int]:
        """Give what the queue delivers again."""
        return [at for at, record in enumerate(event["entries"]) if record["id"] in response["again"]]


class TillThatIsReadByPlace(TillThatIsRead):
    """The same, whose reader looks for the first message of an id."""

    def reads(self, event: Any, response: Any) -> Iterable[int]:
        """Give what the queue delivers again."""
        names = [record["id"] for record in event["entries"]]
        return [names.index(name) for name in response["again"]]


class LogOfKeys(Till):
    """A log with one checkpoint, whose factory makes the number of a record of its place: the number alone is right."""

    factory = EntryEvents()

    @hookimpl
    def acknowledgement(self) -> Any:
        return "checkpoint"


class FindsByTheOffset(Kafka):
    """Names records of Kafka rightly, and finds them by their offset when it answers."""

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        by_offset = {record["offset"]: name for record, name in zip(batch.records, batch.identifiers, strict=True)}
        return {
            "batchItemFailures": [
                {"itemIdentifier": by_offset[outcome.record["offset"]]} for outcome in outcomes.unfinished()
            ]
        }
