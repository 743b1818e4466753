"""What a body is, where it is not what somebody reads. For errors: they name a body, and never quote it.

Asked only when something is wrong already, so a body that is right pays for none of it. One table for objects of JSON,
one for bytes and one for text; what stands in none of them is named by its type.
"""

from __future__ import annotations

import builtins
import json
import re
from binascii import a2b_base64
from collections.abc import Mapping
from contextlib import suppress

from batchcore.errors import RecordIdentityError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias, TypeGuard

    Shape: TypeAlias = tuple[str, str]  # a name for tables, and words that go on after "it is"

__all__ = ["WrongShapeError", "advice_on", "said_of", "shape_of"]

_SAY_NOTHING = {"empty", "list", "object", "records", "text"}
_NOTHING_TO_ADD = {"bytes", "empty", "json", "text"}
_MOST_SOURCES = 5
_DEEPEST = 3  # JSON in JSON in base64; nobody encodes more often by mistake
_SOURCE = re.compile(r"aws:[a-zA-Z0-9.:_-]{1,40}")


class WrongShapeError(ValueError, KeyError):
    """A body, or an object, is not what a view reads. The text names what it is, and what to do.

    It is a :class:`KeyError` too, since what the view reads is missing.
    """

    __str__ = Exception.__str__  # KeyError's would show the text in quotes


def shape_of(value: Any, depth: int = 0) -> Shape:
    """Return what a value is: a name, which is the same for all of its kind, and words for an error.

    Args:
        value: a body, decoded as far as it could be: an object or a list of JSON, text, bytes, anything.
        depth: how many encodings it was inside of.
    """
    if isinstance(value, str):
        return _shape_of_text(value, depth)
    if isinstance(value, (bytes, bytearray)):
        return _shape_of_bytes(bytes(value), depth)
    if _is_object(value):
        return _shape_of_object(value)
    return _shape_of_list(value) if _is_list(value) else _shape_of_other(value)


def said_of(value: Any) -> str:
    """Return what a value is, in words that go on after "it is"; empty where its type says as much. Never raises."""
    try:
        name, words = shape_of(value)
    except Exception:  # a mapping of somebody's own may raise anything
        return ""
    return "" if name in _SAY_NOTHING | {"foreign", "null", "scalar"} else words


def advice_on(event: Any) -> str:
    """Return what to do with an event that no source can claim as it is; empty where that is not known."""
    if _is_list(event):
        return (
            "EventBridge Pipes calls a function with a list of records. Whose they are is not guessed: name what the "
            'pipe reads, such as BatchProcessor("pipes-sqs"), a source of batchcore-pipes.'
        )
    if isinstance(event, (str, bytes, bytearray)):
        return "Lambda gives an event as a dict: to process this one, pass json.loads(event)."
    return ""


def _shape_of_other(value: object) -> Shape:
    if value is None:
        return "null", "None, null in JSON"
    if isinstance(value, (bool, int, float)):
        return "scalar", "true or false" if isinstance(value, bool) else "a number"
    kind = type(value).__name__
    if callable(getattr(value, "to_dict", None)):
        return "to_dict", f"an object of the class {kind}; pass the dictionary that its to_dict() gives"
    return "foreign", f"an object of the class {kind}"


def _is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


# -- Objects of JSON.

_S3_TEST = "s3:TestEvent"
_CONTEXT = "requestContext"
_REQUEST = "a request of API Gateway, a load balancer or a function URL"
_OBJECTS: tuple[tuple[str, str, Mapping[str, Any]], ...] = (  # what an object of it has, of whatever value where None
    ("s3 test event", "the test event that S3 sends when a notification is set up, s3:TestEvent", {"Event": _S3_TEST}),
    ("sns notification", "an SNS notification", {"TopicArn": None, "Message": None}),
    ("eventbridge s3 event", "an event of S3 that came by EventBridge", {"detail": None, "source": "aws.s3"}),
    ("eventbridge event", "an EventBridge event", {"detail-type": None, "detail": None}),
    ("cloudwatch logs", "log events of CloudWatch Logs", {"messageType": None, "logEvents": None}),
    ("invocation record", "what Lambda sends to a destination about an invocation", {_CONTEXT: {"condition": None}}),
    ("cloudevent", "a CloudEvent", {"specversion": None, "type": None, "source": None}),
    ("sns record", "a record of aws:sns", {"Sns": None}),
    ("firehose event", "an event of Amazon Data Firehose", {"deliveryStreamArn": None, "records": None}),
    ("s3 batch event", "an event of S3 Batch Operations", {"invocationSchemaVersion": None, "tasks": None}),
    ("logs subscription", "an event of a subscription of CloudWatch Logs", {"awslogs": None}),
    ("request", _REQUEST, {_CONTEXT: None, "httpMethod": None}),
    ("request", _REQUEST, {_CONTEXT: None, "rawPath": None}),
    ("console test event", "the test event that the Lambda console offers", {"key1": None, "key2": None, "key3": None}),
)


def _fits(value: Any, pattern: Any) -> bool:
    if pattern is None:
        return True
    if not _is_object(pattern):
        return bool(value == pattern)
    return _is_object(value) and all(key in value and _fits(value[key], inner) for key, inner in pattern.items())


def _shape_of_object(value: Mapping[str, Any]) -> Shape:  # noqa: PLR0911 - a name each
    for name, words, pattern in _OBJECTS:
        with suppress(AttributeError, KeyError, TypeError):  # a mapping of somebody's own
            if _fits(value, pattern):
                return name, words
    records = value.get("Records")
    if _is_list(records):
        sources = set(map(_source_of, records))
        several = sorted(source for source in sources if source is not None)
        if len(several) > 1:
            return "mixed event", f"an event with records of {' and '.join(several[:_MOST_SOURCES])}"
        if several and None not in sources:
            return f"event of {several[0]}", f"an event with {_counted(records, 'record')} of {several[0]}"
        return "records", f"an object with a list Records of {_counted(records, 'item')}"
    source = _source_of(value)
    if source is not None:
        if any(key in value for key in ("records", "messages", "rmqMessagesByQueue")):
            return f"event of {source}", f"an event of {source}"
        return f"record of {source}", f"a record of {source}"
    return "object", "a JSON object that no known service of AWS writes"


_RECORDS = (("s3", "aws:s3"), ("dynamodb", "aws:dynamodb"), ("kinesis", "aws:kinesis"), ("receiptHandle", "aws:sqs"))


def _source_of(record: Any) -> str | None:
    """Return the source that a record names, or has the form of."""
    if not _is_object(record):
        return None
    named = record.get("eventSource", record.get("EventSource"))
    if isinstance(named, str):
        return named if _SOURCE.fullmatch(named) else None
    return next((source for key, source in _RECORDS if key in record), None)


def _shape_of_list(values: list[Any]) -> Shape:
    sources = {_source_of(record) for record in values}
    source = sources.pop() if len(sources) == 1 else None
    if source is None:
        return "list", f"a list of {_counted(values, 'item')}"
    return "list of records", f"a list of {_counted(values, 'record')} of {source}, as EventBridge Pipes gives it"


def _counted(values: list[Any], what: str) -> str:
    return f"{len(values)} {what}{'' if len(values) == 1 else 's'}"


# -- Bytes.

_AGGREGATED = (
    "several records that the Kinesis Producer Library (KPL) aggregated into one; take it apart with UserRecords() of "
    "batchcore-envelopes, or switch aggregation off in the producer"
)
_STARTS = (
    (b"\xf3\x89\x9a\xc2", "kpl", _AGGREGATED),
    (b"\x1f\x8b", "gzip", "data compressed by gzip; decompress it first"),
    (b"\x28\xb5\x2f\xfd", "zstd", "data compressed by Zstandard; decompress it first"),
    (b"BZh", "bzip2", "data compressed by bzip2; decompress it first"),
    (b"\xfd7zXZ\x00", "xz", "data compressed by xz; decompress it first"),
    (b"\x04\x22\x4d\x18", "lz4", "data compressed by LZ4; decompress it first"),
    (b"\xff\x06\x00\x00sNaPpY", "snappy", "data compressed by Snappy; decompress it first"),
    (b"PK\x03\x04", "zip", "a ZIP archive"),
    (b"Obj\x01", "avro", "an Avro file"),
    (b"PAR1", "parquet", "a Parquet file"),
    (b"\xff\xfe\x00\x00", "utf-32", "text in UTF-32, by its byte order mark; decode it first"),
    (b"\x00\x00\xfe\xff", "utf-32", "text in UTF-32, by its byte order mark; decode it first"),
    (b"\xff\xfe", "utf-16", "text in UTF-16, by its byte order mark; decode it first"),
    (b"\xfe\xff", "utf-16", "text in UTF-16, by its byte order mark; decode it first"),
)


def _shape_of_bytes(data: bytes, depth: int) -> Shape:
    try:
        text = data.decode()
    except builtins.UnicodeDecodeError:
        text = None
    if text is None or _CONTROLS.search(text):
        for start, name, words in _STARTS:
            if data.startswith(start):
                return name, words
    if text is not None:
        return _shape_of_text(text, depth)
    if _is_zlib(data):
        return "zlib", "data compressed by zlib; decompress it first"
    return "bytes", "bytes that are no text"


_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f]")


def _is_zlib(data: bytes) -> bool:
    import zlib

    try:
        return bool(zlib.decompressobj().decompress(data[:256], 64))
    except zlib.error:
        return False


# -- Text.


def _is_in_nul_bytes(text: str) -> bool:
    """Whether every second character is NUL at the start: UTF-16 without its mark, read as UTF-8."""
    return len(text) > 3 and (text[1] == text[3] == "\0" != text[0] or text[0] == text[2] == "\0" != text[1])


def _shape_of_text(text: str, depth: int) -> Shape:
    stripped = text.strip()
    if not stripped:
        return "empty", "empty"
    if _is_in_nul_bytes(text):
        return "utf-16", "text in UTF-16 that was read as UTF-8; decode it first"
    if depth < _DEEPEST:
        inner = _inner_shape_of(stripped, depth + 1)
        if inner is not None:
            return inner
    if stripped[0] == "<":
        return "xml", "XML or HTML"
    if stripped[:2] in ("{'", "['"):
        return "repr", "what Python's str() makes of a dictionary or list, where json.dumps() makes JSON"
    return "text", "text"


def _inner_shape_of(text: str, depth: int) -> Shape | None:
    """Return what text is that holds something else: JSON, or base64 of what is known here."""
    if text[0] == "\ufeff":
        name, words = shape_of(text[1:], depth)
        return name, f"{words} after a byte order mark, U+FEFF"
    if text[0] in '{["':
        try:
            value = json.JSONDecoder().decode(text)
        except (RecursionError, ValueError):
            return None
        name, words = shape_of(value, depth)
        return "json", "JSON" if name in _SAY_NOTHING else f"JSON of {words}"
    if len(text) % 4 == 0 and re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", text):
        name, words = shape_of(a2b_base64(text), depth)
        if name not in ("bytes", "empty", "text"):
            return "base64", f"base64 of {words}"
    return None


# -- The errors of what could not be decoded. Their text is a sentence that names the field. They carry nothing of the
# body, and are the same when copied or pickled. Python's own keep the body in ``args``, where ``repr()`` shows it, or
# work their text out from the body again.


class JSONDecodeError(json.JSONDecodeError):
    """Text is not JSON. ``doc`` is empty."""

    # Logs and entries name an error by its class, and users know this one by the name of its base.
    __module__, __qualname__ = json.JSONDecodeError.__module__, json.JSONDecodeError.__qualname__

    def __reduce__(self) -> tuple[Any, ...]:
        return _json_again, self.args, vars(self)


class UnicodeDecodeError(builtins.UnicodeDecodeError):  # noqa: A001 - as above
    """Bytes are not UTF-8. ``object`` is empty."""

    __module__, __qualname__ = "builtins", "UnicodeDecodeError"

    def __str__(self) -> str:
        return self.reason

    def __reduce__(self) -> tuple[Any, ...]:
        return _text_again, self.args, vars(self)


def _json_again(*args: Any) -> JSONDecodeError:
    """Make the copy of an error, without what its class would work out from the text."""
    return JSONDecodeError.__new__(JSONDecodeError, *args)


def _text_again(*args: Any) -> UnicodeDecodeError:
    return UnicodeDecodeError(*args)


def not_json(text: str, field: str, problem: str, position: int) -> JSONDecodeError:
    """Make the error of text, from a field, that is not JSON: what Python's own parser says, and where in the text."""
    error = JSONDecodeError(f"{field} is not JSON: {problem}", text, position)
    error.doc = ""
    error.args = (error.args[0] + what_it_is(text),)
    return error


def beyond_python(field: str, problem: str) -> JSONDecodeError:
    """Make the error of JSON that Python does not read."""
    error = JSONDecodeError(f"{field} is JSON that Python does not read: {problem}", "", 0)
    error.args = (error.msg,)
    return error


def not_utf_8(data: bytes, field: str, error: builtins.UnicodeDecodeError) -> UnicodeDecodeError:
    """Make the error of bytes, from a field, that are not UTF-8, of what Python raised."""
    text = f"{field} is not UTF-8: {error.reason} at position {error.start}{what_it_is(data)}"
    return UnicodeDecodeError(error.encoding, b"", error.start, error.end, text)


def what_it_is(value: str | bytes) -> str:
    """Return a sentence on what a value is, to go behind another one; empty where it would add nothing."""
    name, words = shape_of(value)
    return "" if name in _NOTHING_TO_ADD else f". It is {words}"


# -- The errors of a record that is no mapping, and of one without an identifier.


def check_has_keys(raw_event: object, view: type) -> None:
    """Check what a view is made of that is no mapping by its class.

    Raises:
        WrongShapeError: it is none by its methods either.
    """
    if not (hasattr(raw_event, "keys") and hasattr(raw_event, "__getitem__")):
        raise WrongShapeError(f"{view.__name__} shows a mapping, and this is none: it is {shape_of(raw_event)[1]}.")


def identify_one(position: int, record: object, path: tuple[str, ...]) -> str:
    """Return the identifier of one record, and say what is wrong with it where it has none.

    Raises:
        RecordIdentityError: it has no identifier that is a string, and not empty.
    """
    dotted, value = ".".join(path), record
    for depth, key in enumerate(path):
        if not _is_object(value):
            inner = ".".join(path[:depth])
            seen = f"has no object {inner}" if inner else f"is no object but of type {type(value).__name__}"
            break
        if key not in value and depth == len(path) - 1:
            seen = f"has no {dotted}"
            break
        value = value.get(key)
    else:
        if isinstance(value, str) and value:
            return value
        seen = f"has a {dotted} " + ("that is empty" if isinstance(value, str) else f"of type {type(value).__name__}")
    said = said_of(record)
    raise RecordIdentityError(
        f"Record {position} of the batch, counting from 0, {seen}. The response names a record by it, a string that is "
        f"not empty.{f' The record is {said}.' if said else ''}",
        position=position,
    )
