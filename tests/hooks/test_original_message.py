"""``original_message``: a raw record as the message it was, for whoever sends it elsewhere."""

from __future__ import annotations

import json
from typing import Any

import pytest

from batchcore import Batch, DeadLetterRecord, Message, Outcome, PluginError, hookimpl

from .support import FullSource, Run, ToySource, errors_of, run, source_with, statuses, toys, wrapper_of


def give_up(toy: Any) -> None:
    raise DeadLetterRecord(toy["id"])


class Sends:
    """Delivers dead letters as messages."""

    def __init__(self) -> None:
        self.sent: list[Message] = []

    @hookimpl
    def deliver_dead_letter(self, outcome: Outcome, batch: Batch) -> None:
        self.sent.append(batch.original_message(outcome.record))


def test_original_message_is_what_a_deliverer_sends(driver: Run) -> None:
    attributes = {"colour": {"DataType": "String", "StringValue": "red"}}
    source = source_with(original_message=lambda record: Message(record["id"].upper(), attributes, "shelf"))
    sends = Sends()

    result = driver(source, toys("car"), give_up, plugins=[sends])

    (message,) = sends.sent
    assert (message.body, message.attributes, message.group) == ("CAR", attributes, "shelf")
    assert statuses(result) == ["dead_lettered"]


def test_original_message_is_by_default_the_record_as_json(driver: Run) -> None:
    sends = Sends()

    driver(ToySource(), toys("car", wheels=4), give_up, plugins=[sends])

    (message,) = sends.sent
    assert json.loads(message.body) == {"id": "car", "wheels": 4}
    assert (message.attributes, message.group) == ({}, None)


def test_original_message_gets_the_raw_record_of_those_that_somebody_asks_for_alone(driver: Run) -> None:
    seen: list[Any] = []
    source = source_with(FullSource, original_message=lambda record: seen.append(record) or Message("text"))

    def handler(toy: Any) -> None:
        if toy["id"] == "ball":
            raise DeadLetterRecord

    driver(source, toys("car", "ball", "doll"), handler, plugins=[Sends()])

    assert seen == [{"id": "ball"}]


@pytest.mark.parametrize("lose", [lambda message: None, lambda message: 1 / 0], ids=["loses it", "raises"])
def test_original_message_that_cannot_be_had_leaves_the_record_to_be_retried(
    lose: Any, driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    sends = Sends()

    result = driver(ToySource(), toys("car"), give_up, plugins=[sends, wrapper_of("original_message", lose)])

    assert statuses(result) == ["failed"]
    assert isinstance(result.outcomes[0].exception, DeadLetterRecord)
    assert sends.sent == []
    assert "deliver_dead_letter() raised" in errors_of(caplog)


def test_original_message_that_a_wrapper_lost_names_the_hook() -> None:
    batch = run(ToySource(), toys("car"), plugins=[wrapper_of("original_message", lambda message: None)]).batch

    with pytest.raises(PluginError, match=r"wraps original_message\(\) gave None") as caught:
        batch.original_message({"id": "car"})

    assert caught.value.hook == "original_message"


def test_original_message_raises_what_the_source_raises() -> None:
    def unread(record: Any) -> Any:
        raise LookupError("no body")

    batch = run(source_with(original_message=unread), toys("car")).batch

    with pytest.raises(LookupError, match="no body"):
        batch.original_message({"id": "car"})


def test_a_message_shows_nothing_of_its_content() -> None:
    assert repr(Message("secret", {"card": {"DataType": "String", "StringValue": "secret"}}, "secret")) == (
        "<Message of 6 characters, 1 attributes>"
    )
