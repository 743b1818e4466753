"""Tests of the contract: the message that a record was, for whoever sends it elsewhere as a dead letter."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from batchcore import Message
from batchcore_testing.contract import rules
from batchcore_testing.contract.broken import JUNK, REMOVED, at_place, broken_copy, content_places, places
from batchcore_testing.contract.checks import dotted, shown, texts_in

if TYPE_CHECKING:
    from batchcore_testing.contract.probe import Probe
    from batchcore_testing.contract.rules import Rule

_ATTRIBUTES: dict[str, Any] = {
    "a": {"dataType": "String", "stringValue": "x", "stringListValues": [], "binaryListValues": []},
    "b": {"dataType": "Binary", "binaryValue": "AAE=", "stringListValues": [], "binaryListValues": []},
}

_FORMS = ({"DataType", "StringValue"}, {"DataType", "BinaryValue"})
_NOT_BASE64 = "not base64"
_ADDRESS = re.compile(r"<\S.* at 0x[0-9a-fA-F]+>", re.DOTALL)


class MessageTests:
    """What a record is sent on as."""

    def test_records_can_be_sent_on(self, probe: Probe) -> None:
        for position, record in enumerate(probe.records(probe.event)):
            _message_of(probe, _with_attributes(probe, record), rules.SENT_ON, f"of record {position}")

    def test_a_record_that_cannot_be_read_can_be_sent_on(self, probe: Probe) -> None:
        record = _with_attributes(probe, probe.hooks.extract_records(probe.event)[1])
        identifier = probe.service.identifier(record)
        for path in places(record):
            for junk in (*JUNK, _NOT_BASE64, REMOVED) if path else ():
                broken = broken_copy(record, path, junk)
                if not _is_named(probe, broken, identifier):
                    continue  # its batch is refused, so nobody sends it on
                what = f"of record 1 {'without' if junk is REMOVED else f'with {junk!r} as'} {dotted(path)}"
                message = _message_of(probe, broken, rules.SENT_ON_BROKEN, what)
                if junk in (None, REMOVED) and message.body in ("", "None"):
                    seen = f"{what} it gives a message whose body is {message.body!r}"
                    rules.SENT_ON_BROKEN.broken(seen, probe.name)

    def test_a_message_is_not_what_python_shows(self, probe: Probe) -> None:
        batch = probe.run(probe.event).watch.batch
        decode: Any = None if batch is None else probe.hooks.record_decoder(batch)
        for position, record in enumerate(probe.records(probe.event)):
            body, texts = probe.hooks.original_message(record).body, texts_in(record)
            made = [*_shown_by_python(record), *(() if decode is None else _shown_of_view(decode(record)))]
            found = next((each for each in made if _is_in(each, body, texts)), None)
            if found is None and _ADDRESS.search(body) and not any(map(_ADDRESS.search, texts)):
                found = "the address of an object"
            if found is not None:
                seen = f"of record {position} it gives {_cut(body)!r}, with {_cut(found)} in it"
                rules.SENT_ON_AS_SENT.broken(seen, probe.name)

    def test_different_records_are_sent_on_as_different_messages(self, probe: Probe) -> None:
        record = probe.records(probe.event)[1]
        for path in content_places(probe):
            if at_place(record, path) is None:
                continue
            bodies: list[str] = []
            for content in (b"\xff\x00", b"\xfe\x00", b"\xff\xff"):
                other = broken_copy(record, path, base64.b64encode(content).decode())
                bodies.append(probe.hooks.original_message(other).body)
            if len(set(bodies)) != len(bodies):
                rules.SENT_ON.broken(f"with different content in {dotted(path)} the same body is sent", probe.name)


def _with_attributes(probe: Probe, record: Any) -> Any:
    return {**record, "messageAttributes": _ATTRIBUTES} if probe.name == "sqs" else record


def _is_named(probe: Probe, record: Any, identifier: Any) -> bool:
    try:
        return bool(probe.service.identifier(record) == identifier)
    except Exception:
        return False


def _message_of(probe: Probe, record: Any, rule: Rule, what: str) -> Message:
    """Return the message that a record was.

    Raises:
        ContractBroken: there is none, or it is none that SQS and SNS take.
    """
    try:
        message: Any = probe.hooks.original_message(record)
    except Exception as error:
        rule.broken(f"{what} it raises {shown(error)}", probe.name, error)
    if not isinstance(message, Message):
        rule.broken(f"{what} it gives {message!r}", probe.name)
    body: Any = message.body
    if not isinstance(body, str):
        rule.broken(f"{what} it gives a message whose body is {body!r}", probe.name)
    attributes: Any = message.attributes
    if not isinstance(attributes, Mapping):
        rule.broken(f"{what} it gives attributes that are {attributes!r}", probe.name)
    for name, attribute in message.attributes.items():
        given: Any = attribute
        if not isinstance(given, Mapping) or set(attribute) not in _FORMS:
            rule.broken(f"{what} attribute {name!r} is {attribute!r}", probe.name)
        wrong = [key for key, value in attribute.items() if not _IS_RIGHT[key](value)]
        if wrong:
            rule.broken(f"{what} the {wrong[0]} of attribute {name!r} is {attribute[wrong[0]]!r}", probe.name)
    return message


def _is_text(value: object) -> bool:
    return isinstance(value, str)


_IS_RIGHT: Mapping[str, Callable[[Any], bool]] = {
    "DataType": _is_text,
    "StringValue": _is_text,
    "BinaryValue": lambda value: isinstance(value, (bytes, bytearray)),
}


def _shown_by_python(record: Any) -> Iterator[str]:
    """Return what Python shows of a record, of each of its parts, and of what its texts are when they are decoded."""
    for value in _decoded(record):
        if value and not _is_json(repr(value)):
            yield repr(value)


def _shown_of_view(view: Any) -> Iterator[str]:
    """Return what Python shows of what a handler gets. Of text and numbers it may be what the producer sent."""
    if view and not isinstance(view, (str, int, float)):
        yield from (text for text in (repr(view), str(view)) if not _is_json(text))


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _decoded(value: Any) -> Iterator[Any]:
    """Return each object, list and text of a value, and what the texts are: bytes in base64, and JSON."""
    for path in places(value):
        part = at_place(value, path) if path else value
        if isinstance(part, (Mapping, list)):
            yield part
        elif isinstance(part, str):
            yield part
            yield from _decoded_text(part)


def _decoded_text(text: str) -> Iterator[Any]:
    given: Any = text
    try:
        given = base64.b64decode(text, validate=True)
        yield given
        given = given.decode()
    except ValueError:
        given = text
    try:
        parsed: Any = json.loads(given)
    except ValueError:
        return
    if isinstance(parsed, (dict, list)):
        yield from _decoded(parsed)


def _is_in(shown_text: str, body: str, texts: list[str]) -> bool:
    """Whether a body has what Python shows, and the producer has not sent it so. Of text it must be all of it."""
    if shown_text[0] in "'\"":
        return body == shown_text
    return shown_text in body and not any(shown_text in text for text in texts)


def _cut(text: str) -> str:
    return text if len(text) < 80 else f"{text[:77]}..."
