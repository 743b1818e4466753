"""The contexts of the producers of records: which spans had sent them."""

from __future__ import annotations

import re

from opentelemetry.context import Context
from opentelemetry.propagate import get_global_textmap
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

from batchcore.records import is_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, TypeAlias

    from opentelemetry.propagators.textmap import TextMapPropagator

    from batchcore import Batch

    Carrier: TypeAlias = Mapping[str, str]
    CarrierOf: TypeAlias = Callable[[Any], Mapping[str, str]]

_LONGEST = 8_192  # bytes of a header; that of baggage may have as many
_ROOT = re.compile(r"1-([0-9a-fA-F]{8})-([0-9a-fA-F]{24})")
_PARENT = re.compile(r"[0-9a-fA-F]{16}")

# A propagator may make up a context where a carrier has none: that for Lambda takes the one of the invocation. It keeps
# the one that it is given, so this stands for none.
_NONE = SpanContext(1, 1, is_remote=False)
_NOTHING = set_span_in_context(NonRecordingSpan(_NONE), Context())


class _Lowered(Getter["Carrier"]):
    """Reads a carrier whose names are in lower case, for propagators that ask in any, or bring one of their own."""

    def get(self, carrier: Carrier, key: str) -> list[str] | None:
        value = carrier.get(key.lower(), carrier.get(key))
        return None if value is None else [value]

    def keys(self, carrier: Carrier) -> list[str]:
        return list(carrier)


_getter = _Lowered()


def producers_of(batch: Batch, kind: str, carrier_of: CarrierOf | None) -> list[tuple[SpanContext, ...]]:
    """Return the contexts that each record of a batch came with, the one of its producer first.

    What cannot be read is no context: a record never fails of it.

    Args:
        batch: the batch.
        kind: what its source is.
        carrier_of: a function of the user's, raw record to headers.
    """
    propagator = get_global_textmap()
    wanted = _fields_of(propagator)
    headers_of = carrier_of or _HEADERS.get(kind)

    def producers(record: Any) -> tuple[SpanContext, ...]:
        found: list[SpanContext] = []
        try:
            carrier = {} if headers_of is None else _carrier(headers_of(record), wanted)
            if carrier:
                sent_by = get_current_span(propagator.extract(carrier, _NOTHING, _getter)).get_span_context()
                if sent_by.is_valid and sent_by is not _NONE:
                    found.append(sent_by)
            header = record["attributes"].get("AWSTraceHeader") if kind == "sqs" else None
            traced_by = None if header is None else x_ray_context(header)
            if traced_by is not None and not any(_is_same(traced_by, other) for other in found):
                found.append(traced_by)
        except Exception:  # a record of any shape
            pass
        return tuple(found)

    return [producers(record) for record in batch.records]


def _is_same(one: SpanContext, other: SpanContext) -> bool:
    return (one.trace_id, one.span_id) == (other.trace_id, other.span_id)


def invocation_of(context: Any, current: Context) -> Context:
    """Return the context that an invocation came with, by the Lambda context; the current one where it came with none.

    AWS's runtime client has it as ``context.w3c()``. A propagator may know it otherwise.
    """
    try:
        asked = getattr(context, "w3c", None)
        said = asked() if callable(asked) else {}
        propagator = get_global_textmap()
        return propagator.extract(_carrier(said, _fields_of(propagator)), current, _getter)
    except Exception:  # whatever the context is
        return current


def x_ray_context(header: Any) -> SpanContext | None:
    """Return the context that a trace header of AWS X-Ray names, or None where it names no span."""
    if not isinstance(header, str) or len(header) > _LONGEST:
        return None
    fields = dict(part.strip().partition("=")[::2] for part in header.split(";"))
    root, parent = _ROOT.fullmatch(fields.get("Root", "")), _PARENT.fullmatch(fields.get("Parent", ""))
    if root is None or parent is None:
        return None
    flags = TraceFlags(TraceFlags.SAMPLED if fields.get("Sampled") == "1" else TraceFlags.DEFAULT)
    found = SpanContext(int(root[1] + root[2], 16), int(parent[0], 16), is_remote=True, trace_flags=flags)
    return found if found.is_valid else None


def _fields_of(propagator: TextMapPropagator) -> frozenset[str]:
    return frozenset(name.lower() for name in propagator.fields)


def _carrier(headers: Any, wanted: frozenset[str]) -> dict[str, str]:
    """Return of some headers those that a propagator asks for, by their names in lower case. Of equal ones the last."""
    pairs = headers.items() if is_object(headers) else headers
    return {
        name.lower(): value
        for name, value in pairs
        if isinstance(name, str) and name.lower() in wanted and isinstance(value, str)
    }


def _of_sqs(record: Any) -> Iterator[tuple[Any, Any]]:
    for name, attribute in (record.get("messageAttributes") or {}).items():
        yield name, attribute.get("stringValue") if is_object(attribute) else None


def _of_kafka(record: Any) -> Iterator[tuple[Any, Any]]:
    for header in record.get("headers") or ():
        for name, value in header.items():
            yield name, _text(value)


def _of_rabbitmq(record: Any) -> Iterator[tuple[Any, Any]]:
    for name, value in ((record.get("basicProperties") or {}).get("headers") or {}).items():
        yield name, _text(value.get("bytes")) if is_object(value) else value


def _of_activemq(record: Any) -> Iterator[tuple[Any, Any]]:
    yield from (record.get("properties") or {}).items()


_HEADERS: dict[str, Callable[[Any], Any]] = {
    "sqs": _of_sqs,
    "kafka": _of_kafka,
    "rabbitmq": _of_rabbitmq,
    "activemq": _of_activemq,
}


def _text(value: Any) -> str | None:
    """Return the text of a header that is written as signed bytes: those of a trace are all ASCII."""
    if not isinstance(value, list) or len(value) > _LONGEST:
        return None
    try:
        return bytes(value).decode()
    except (TypeError, ValueError):
        return None
