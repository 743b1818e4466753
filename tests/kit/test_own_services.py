"""A source of nobody's service is simulated too: its lanes are the keys that were sent."""

from __future__ import annotations

from typing import Any

import pytest

from batchcore import hookimpl
from batchcore.source import offered
from batchcore_testing import EventFactory, FifoQueue, Queue, Sent, Stream

from .support import contents, mapping_of


class TicketEvents(EventFactory):
    def record(self, sent: Sent) -> dict[str, Any]:
        return {"ticket": f"t{sent.number}", "text": sent.content}

    def event(self, records: Any) -> Any:
        return {"tickets": list(records)}


class Tickets:
    name = "tickets"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, dict) and "tickets" in event

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return event["tickets"]

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return [record["ticket"] for record in records]


def tickets_of(kind: Any) -> Any:
    """Send three tickets of one key and one of another."""
    made = kind(source=Tickets(), factory=TicketEvents())
    made.send("a1", "a2", "a3", key="a")
    made.send("b1", key="b")
    return made


@pytest.mark.parametrize(
    ("kind", "lanes"), [(Queue, [None] * 4), (FifoQueue, ["a", "a", "a", "b"]), (Stream, ["a"] * 3 + ["b"])]
)
def test_keys_are_lanes_where_the_source_orders_by_them(kind: Any, lanes: list[Any]) -> None:
    assert [item.lane for item in tickets_of(kind).items] == lanes


def test_source_of_nobodys_service_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(offered(), "tickets", Tickets())
    queue = Queue(source="tickets", factory=TicketEvents())
    queue.send("a1", "a2")

    history = mapping_of(queue).drain()

    assert [contents(each.items) for each in history.invocations] == [["a1", "a2"]]


def test_group_of_nobodys_service_blocks_itself_and_no_other() -> None:
    queue = tickets_of(FifoQueue)
    failed: set[str] = set()

    def function(event: Any, context: Any) -> Any:
        first = [each["ticket"] for each in event["tickets"] if each["text"] == "a1" and "a1" not in failed]
        failed.update(["a1"] if first else [])
        return {"batchItemFailures": [{"itemIdentifier": name} for name in first]}

    history = mapping_of(queue, function, batch_size=1).drain()

    assert [contents(each.items) for each in history.invocations] == [["a1"], ["b1"], ["a1"], ["a2"], ["a3"]]


def test_order_that_a_function_breaks_is_found_for_nobodys_service_too() -> None:
    stream = tickets_of(Stream)
    mapping = mapping_of(stream)

    for item in reversed(stream.items[:3]):
        mapping.done(item)

    assert contents(mapping.drain().out_of_order) == ["a1", "a2"]
