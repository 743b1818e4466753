"""The plugin that opens what lies inside a record, and how handlers see it. It is made in ``naming``."""

from __future__ import annotations

from batchcore import ConfigurationError, hookimpl
from batchcore.binary import decode_base64
from batchcore.records import decode_text, is_object
from batchcore_envelopes.errors import NotOpenedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from typing import Any, TypeAlias, TypeVar, overload

    from batchcore import Batch, RecordView
    from batchcore_envelopes.envelopes import Content, Envelope

    V = TypeVar("V", bound=RecordView)
    Prepare: TypeAlias = Callable[[Any], Any]


class Place:
    """Where in a raw record its content is: what the producer sent.

    Args:
        path: the keys that lead to it, such as ``"kinesis", "data"``.
        base64: whether it is in base64 there.
    """

    __slots__ = ("base64", "field", "path")

    def __init__(self, *path: str, base64: bool = False) -> None:
        self.path = path
        self.base64 = base64
        self.field = ".".join(path)

    def is_in(self, record: Any) -> bool:
        """Whether a record has it."""
        return isinstance(self._value(record), str)

    def read(self, record: Any) -> Content:
        """Return the content of a record.

        Raises:
            ValueError: it is not there, or not in base64.
        """
        value = self._value(record)
        if not isinstance(value, str):
            raise ValueError(
                f"{self.field} is not text, so nothing can be opened: it is of type {type(value).__name__}."
            )
        return decode_base64(value, self.field) if self.base64 else value

    def write(self, prepared: dict[str, Any], content: Content) -> None:
        """Put content into a record that is a copy.

        Raises:
            UnicodeDecodeError: it is bytes that are not UTF-8, and the record has text there.
        """
        value = self._written(content)
        *outer, name = self.path
        inner = prepared
        for key in outer:
            inner[key] = inner = dict(inner[key])
        inner[name] = value

    def _written(self, content: Content) -> str:
        if not self.base64:
            return content if isinstance(content, str) else decode_text(content, f"What is inside {self.field}")
        from binascii import b2a_base64

        try:
            data = content.encode() if isinstance(content, str) else content
            return b2a_base64(data, newline=False).decode()
        except UnicodeEncodeError:
            pass
        # Raised out here, so that no error of Python's is chained to it: that one carries the whole text.
        raise ValueError(f"What is inside {self.field} has half of a surrogate pair, which no UTF-8 can hold.")

    def _value(self, record: Any) -> Any:
        for key in self.path:
            record = record.get(key) if is_object(record) else None
        return record

    def __repr__(self) -> str:
        return f"Place({', '.join(map(repr, self.path))}{', base64=True' if self.base64 else ''})"


_PLACES = (
    Place("body"),  # SQS, by a pipe too
    Place("kinesis", "data", base64=True),
    Place("data", base64=True),  # Firehose, Kinesis by a pipe, Amazon MQ
    Place("value", base64=True),  # Kafka
    Place("kafkaRecordValue", base64=True),  # Firehose from Kafka
)


class Opened(dict[str, "Any"]):
    """A raw record with what was inside of it in the place of its content.

    Attributes:
        envelopes: each envelope with what it said, the outermost first.
    """

    __slots__ = ("envelopes",)

    envelopes: list[tuple[Envelope, Mapping[str, Any]]]


class Envelopes:
    """Opens the envelopes of records, of whatever source, before they are decoded or validated. Made by :func:`open`.

    Args:
        envelopes: the envelopes, the outermost first.
        place: where the content of a record is; None for where the services of AWS have it.
        asynchronous: whether each record is opened in a thread, so that the event loop goes on meanwhile.
    """

    def __init__(self, envelopes: tuple[Envelope, ...], place: Place | None, asynchronous: bool) -> None:
        self._envelopes = envelopes
        self._place = place
        self._asynchronous = asynchronous

    @hookimpl(wrapper=True)
    def record_preparer(self, batch: Batch) -> Generator[None, Prepare, Prepare]:
        """Open each record, inside its guard: one that cannot be opened costs itself."""
        prepare = yield
        opened, asynchronous = self._opened, self._asynchronous

        def prepare_and_open(record: Any) -> Any:
            prepared = prepare(record)
            if asynchronous or hasattr(prepared, "__await__"):
                if asynchronous:
                    _check_is_awaited()
                return _opened_later(opened, prepared, asynchronous)
            return opened(prepared)

        return prepare_and_open

    def _opened(self, record: Any) -> Opened:
        # What another open() has opened before is around this, and shown by inside() too.
        envelopes: list[tuple[Envelope, Mapping[str, Any]]] = [*record.envelopes] if isinstance(record, Opened) else []
        if _is_tombstone(record):
            opened = Opened(record)
            opened.envelopes = envelopes
            return opened
        place = self._place_in(record)
        was = content = place.read(record)
        around, field = envelopes[-1][1] if envelopes else record, place.field
        for envelope in self._envelopes:
            content, says = envelope.open(content, field, around)
            field = envelope.inside(field)
            if says is not None:
                around = says
                envelopes.append((envelope, says))
        opened = Opened(record)
        opened.envelopes = envelopes
        if content is not was:
            place.write(opened, content)
        return opened

    def _place_in(self, record: Any) -> Place:
        if self._place is not None:
            return self._place
        for place in _PLACES:
            if place.is_in(record):
                return place
        from batchcore.shapes import WrongShapeError, said_of

        said = said_of(record)
        raise WrongShapeError(
            f"The record has no content that is known here, so nothing can be opened{said and f': it is {said}'}. Say "
            "where it is: open(..., place=Place('payload'))."
        )

    def __repr__(self) -> str:
        return f"<open({', '.join(envelope.name for envelope in self._envelopes)})>"


def _is_tombstone(record: Any) -> bool:
    """Whether a record of Kafka has no value: its key was deleted. Nothing was sent, so nothing is inside."""
    return is_object(record) and "topic" in record and "partition" in record and record.get("value") is None


def _check_is_awaited() -> None:
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError(
            "open(..., asynchronous=True) is for AsyncBatchProcessor, and no event loop is running here. Leave it out: "
            "BatchProcessor opens records in the threads of max_concurrency=."
        ) from None


async def _opened_later(opened: Callable[[Any], Opened], prepared: Any, in_thread: bool) -> Opened:
    if hasattr(prepared, "__await__"):
        prepared = await prepared
    if not in_thread:
        return opened(prepared)
    import asyncio

    return await asyncio.to_thread(opened, prepared)


if TYPE_CHECKING:

    @overload
    def inside(record: object, view: type[V]) -> V: ...
    @overload
    def inside(record: object) -> Any: ...


def inside(record: Any, view: type[Any] | None = None) -> Any:
    """Return the typed view of an envelope that a record was in, such as ``inside(record, S3Event)``.

    Args:
        record: what the handler gets: the typed record of the source, or the raw one.
        view: the class of the view; None for the innermost envelope that says anything.

    Raises:
        NotOpenedError: the record was not opened, or was in no such envelope.
    """
    raw = getattr(record, "raw_event", record)
    if not isinstance(raw, Opened):
        raise NotOpenedError(
            "inside() takes a record as the handler gets it, and nobody has opened this one. Pass the processor "
            "plugins=[open(...)]. Where it has a model, what was inside is in the model's own field."
        )
    if view is None:
        if raw.envelopes:
            envelope, says = raw.envelopes[-1]
            return envelope.view()(says)
        raise NotOpenedError("What this record was in says nothing of itself. Read the content of the record.")
    for envelope, says in reversed(raw.envelopes):
        try:
            own = envelope.view()
        except ConfigurationError:  # it is of a package that is not installed, so it is not the one that is asked for
            continue
        if issubclass(own, view):
            return own(says)
    names = ", ".join(envelope.name for envelope, _ in raw.envelopes) or "nothing that says anything of itself"
    raise NotOpenedError(f"The record was in no envelope whose view is {view.__name__}. It was in: {names}.")
