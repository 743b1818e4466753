"""For authors of sources: typed records, JSON and text, and sources whose event is a list ``Records``."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from json import JSONDecodeError, JSONDecoder  # the Lambda runtime has it loaded before us
from operator import itemgetter
from types import GenericAlias, ModuleType

from batchcore.callables import hookimpl, identity, is_object
from batchcore.model import Generic, R, batch_item_failures, unordered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, ClassVar, Literal, TypeAlias, TypeGuard

    from batchcore.model import Batch, Ordering, Outcomes

    _Mapping: TypeAlias = Mapping[str, Any]

__all__ = ["RecordView", "RecordsSource", "batch_item_failures", "claim", "decode_json", "decode_text"]
__all__ += ["identify", "is_object", "once"]


# -- Typed records.

if TYPE_CHECKING:
    once = cached_property
else:

    class once:
        """A property that is computed at its first use, then kept with the record that it was computed of.

        It stands in a slot, one for each view, and not in a ``__dict__``, which would cost each view 10 ns.
        """

        def __init__(self, function) -> None:  # noqa: ANN001 - the types are those of cached_property
            self.function = function
            self.__doc__ = function.__doc__

        def __get__(self, view, kind=None):  # noqa: ANN001, ANN204 - as above
            if view is None:
                return self
            raw = view.raw_event
            try:
                of, kept_by, value = view._kept
                if of is raw and kept_by is self:
                    return value
            except AttributeError:
                pass
            value = self.function(view)
            view._kept = raw, self, value
            return value

    @Mapping.register
    class _Mapping:
        """A mapping without the metaclass of one: each class with that would cost a cold start twice as much."""

        __slots__ = ()
        get, keys, items, values = Mapping.get, Mapping.keys, Mapping.items, Mapping.values


class RecordView(_Mapping):
    """A raw record with named, typed properties on top.

    A view is the mapping it shows: it has the same keys, and equals the raw record. It copies nothing. Subclasses add
    read-only properties; one that decodes is a :class:`once`, so that it decodes once.

    Raises:
        ValueError: what it is made of is no mapping. Another library's event object gives one by its ``to_dict()``.
    """

    __slots__ = ("_kept", "raw_event")

    raw_event: Mapping[str, Any]
    _kept: Any

    def __init__(self, raw_event: Mapping[str, Any]) -> None:
        if type(raw_event) is not dict and not isinstance(raw_event, Mapping):  # JSON gives the first
            from batchcore.shapes import check_has_keys  # type: ignore[unreachable]  # for those who ask no checker

            check_has_keys(raw_event, type(self))
        self.raw_event = raw_event

    def __reduce__(self) -> tuple[Any, ...]:
        return self._made_for or type(self), (self.raw_event,)

    _made_for: ClassVar[type[RecordView] | None] = None
    _is_reusable: ClassVar[bool] = False

    def __getitem__(self, key: str) -> Any:
        return self.raw_event[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.raw_event)

    def __len__(self) -> int:
        return len(self.raw_event)

    def __contains__(self, key: object) -> bool:
        return key in self.raw_event

    def __eq__(self, other: object) -> bool:
        if isinstance(other, RecordView):
            other = other.raw_event
        return bool(self.raw_event == other) if isinstance(other, Mapping) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # equal to a dict, so as unhashable as one

    def __repr__(self) -> str:
        return f"<{type(self).__name__} with {', '.join(self.raw_event)}>"


# -- JSON and text. Errors name the field, and never carry what is in it: they are logged, and sent to error trackers.

_decoder = JSONDecoder()
_scan: Any = vars(_decoder)["scan_once"]  # set by json's own C code; typeshed does not name it


def decode_json(text: Any, field: str) -> Any:
    """Parse JSON. A byte order mark before it is skipped.

    Args:
        text: the JSON.
        field: where it is from, for the error.

    Raises:
        JSONDecodeError: it is not JSON, or nested too deeply, or has a number that is too long. The text names what it
            is, where that is known. The error's ``doc`` is empty.
        TypeError: it is no string.
    """
    try:
        # What decode() does but for white space around the value, which JSON that a program wrote does not have.
        value, end = _scan(text, 0)
        if end == len(text):
            return value
    except (RecursionError, StopIteration, TypeError, ValueError):
        pass
    return _decode_json_with_care(text, field)


def _decode_json_with_care(text: Any, field: str) -> Any:
    if not isinstance(text, str):
        raise TypeError(f"{field} is of type {type(text).__name__}, not a string of JSON.")
    mark = text.startswith("\ufeff")
    try:
        return _decoder.decode(text[1:] if mark else text)
    except JSONDecodeError as error:
        problem, position = error.msg, error.pos + mark
    except RecursionError:
        problem, position = "it is nested too deeply", None
    except ValueError:
        problem, position = "it has a number with more digits than sys.get_int_max_str_digits()", None
    # Raised out here, so that no error of json is chained to it: that one carries the whole text.
    from batchcore.shapes import beyond_python, not_json

    raise beyond_python(field, problem) if position is None else not_json(text, field, problem, position)


def decode_text(data: bytes, field: str) -> str:
    """Decode UTF-8.

    Args:
        data: the bytes.
        field: where they are from, for the error.

    Raises:
        UnicodeDecodeError: they are not UTF-8. The text names what they are, where that is known. The error's
            ``object`` is empty.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        problem = error
    from batchcore.shapes import not_utf_8

    raise not_utf_8(data, field, problem)


# -- Sources whose event is a list ``Records``.

_event_source: Callable[[Any], Any] = itemgetter("eventSource")


def claim(
    event_source: str, has_shape: Callable[[Mapping[str, Any]], bool], *, windows: bool = False
) -> Callable[[Any], bool]:
    """Return what a source's ``claims_event`` does: tell whether an event, all of it, is this source's.

    Args:
        event_source: the value of ``eventSource``, such as ``aws:sqs``.
        has_shape: whether a record without ``eventSource``, as of an event written by hand, looks like this source's.
        windows: whether the source has tumbling windows, whose last call may have no records.

    The function never raises. An empty list of records is claimed, unless the event itself says that it is of another
    service, or belongs to a window and the source has none.
    """
    expected = {event_source}
    service = event_source.rpartition(":")[2]

    def is_record(record: object) -> bool:
        if not is_object(record):
            return False
        return bool(record["eventSource"] == event_source) if "eventSource" in record else has_shape(record)

    def claims_event(event: Any) -> bool:
        try:
            records: Any = event["Records"] if is_object(event) else None
            if not _is_list(records):
                return False
            if not records:
                return _may_be_of(event, service) and (windows or event.get("window") is None)
            try:
                return set(map(_event_source, records)) <= expected
            except Exception:
                return all(map(is_record, records))
        except Exception:
            return False

    return claims_event


def _may_be_of(event: Mapping[str, Any], service: str) -> bool:
    arn = event.get("eventSourceARN")
    return not isinstance(arn, str) or arn.split(":")[2:3] == [service]


def identify(*path: str) -> Callable[[Sequence[Any]], list[str]]:
    """Return what a source's ``identify_records`` does: read an identifier that must be a string, and not empty.

    Args:
        path: the keys that lead to it in a raw record, such as ``"kinesis", "sequenceNumber"``.

    The function raises :class:`RecordIdentityError` with the position of the first record that has no such identifier:
    to AWS a response with an empty one means that the whole batch failed.
    """
    getters = [itemgetter(key) for key in path]

    def identify_records(records: Sequence[Any]) -> list[str]:
        try:
            values: Any = records
            for getter in getters:
                values = map(getter, values)
            identifiers: list[str] = list(values)
            if all(identifiers):
                "".join(identifiers)  # the quickest way to see that all of them are strings
                return identifiers
        except Exception:
            pass
        from batchcore.shapes import identify_one

        return [identify_one(position, record, path) for position, record in enumerate(records)]

    return identify_records


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


class RecordsSource(Generic[R]):
    """Base of a source whose event is a list ``Records``, as most of AWS's are. Subclass it, and say what it is.

    Every hook may be overridden, and marked with ``hookimpl``. A batch that a source says all of in these attributes is
    read in one pass over its records. They are looked at when a processor is made, and not again.

    Attributes:
        name: the name that functions ask for.
        service: what every record has as its ``eventSource``, such as ``aws:sqs``.
        identifier: the keys that lead to what AWS names a record by, such as ``("kinesis", "sequenceNumber")``.
        view: the class of what handlers get: a :class:`RecordView`.
        ordering: the order in which the records must run.
        by_checkpoint: whether AWS acknowledges a batch by a checkpoint; otherwise each record by itself.
        windows: whether the source has tumbling windows.
        description: what describes a record in logs and traces: a name to the keys that lead to a value, joined by
            dots, or to a function of the raw record. What a record lacks, and what raises, is left out.
    """

    if not TYPE_CHECKING:
        __class_getitem__ = classmethod(GenericAlias)  # a subclass keeps what its handlers get, to be checked

    name: str
    service: str
    identifier: tuple[str, ...]
    view: Callable[[Any], R] = staticmethod(identity)
    ordering: Ordering = unordered
    by_checkpoint = False
    windows = False
    description: ClassVar[Mapping[str, str | Callable[[Any], Any]]] = {}

    @cached_property  # not by a constructor: that of a subclass need not call it
    def _claims(self) -> Callable[[Any], bool]:
        return claim(self.service, self.has_shape, windows=self.windows)

    @cached_property
    def _identifiers(self) -> Callable[[Sequence[Any]], list[str]]:
        return identify(*self.identifier)

    @cached_property
    def _described(self) -> list[tuple[str, Callable[[Any], Any]]]:
        named = self.description.items()
        return [(name, _leading_to(*of.split(".")) if isinstance(of, str) else of) for name, of in named]

    def has_shape(self, record: Mapping[str, Any]) -> bool:
        """Whether a record without ``eventSource``, as of an event written by hand, looks like this source's."""
        return _leading_to(*self.identifier)(record) is not None

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        """Whether every record of the event is of this source."""
        return self._claims(event)

    @hookimpl
    def extract_records(self, event: Any) -> Sequence[Any]:
        """Return the list ``Records``."""
        records: list[Any] = event["Records"]
        return records

    @hookimpl
    def identify_records(self, records: Sequence[Any]) -> Sequence[str]:
        """Return what AWS names each record by.

        Raises:
            RecordIdentityError: a record has none, or an empty one. AWS would take the whole response for a failure.
        """
        return self._identifiers(records)

    @hookimpl
    def record_decoder(self, batch: Batch) -> Callable[[Any], R]:
        """Return :attr:`view`."""
        return self.view

    @hookimpl
    def ordering_policy(self, batch: Batch) -> Ordering:
        """Return :attr:`ordering`; of a batch of a tumbling window that of windows, always."""
        windows = _windows_of(batch) if self.windows else None
        return self.ordering if windows is None else windows.WINDOW_ORDER

    @hookimpl
    def acknowledgement(self) -> Literal["record", "checkpoint"]:
        """Return how AWS acknowledges."""
        return "checkpoint" if self.by_checkpoint else "record"

    @hookimpl
    def handler_arguments(self, batch: Batch) -> Mapping[str, Any]:
        """Return ``state`` and ``window`` where the batch belongs to a tumbling window."""
        windows = _windows_of(batch) if self.windows else None
        return {} if windows is None else windows.arguments(batch)

    @hookimpl
    def build_response(self, batch: Batch, outcomes: Outcomes, fail: object = None) -> Any:
        """Name the records that are not done; with the state, where the batch belongs to a tumbling window."""
        windows = _windows_of(batch) if self.windows else None
        return (batch_item_failures if windows is None else windows.response)(batch, outcomes)

    @hookimpl
    def describe_record(self, record: Any) -> Mapping[str, Any]:
        """Return what :attr:`description` says."""
        described: dict[str, Any] = {}
        for name, value_of in self._described:
            with suppress(Exception):
                described[name] = value_of(record)
        return {name: value for name, value in described.items() if value is not None}

    def plain_reader(self) -> Callable[[Any], tuple[list[Any], list[str]] | None] | None:
        """Return what claims, extracts and identifies in one pass: event to records and identifiers.

        It gives None to be asked one by one: there is no record, or a window, or something is wrong with a record.
        """
        service, windows, (*outer, name) = self.service, self.windows, self.identifier
        if len(outer) > 1:
            return None

        def read(event: Any) -> tuple[list[Any], list[str]] | None:
            try:
                kind: object = type(event)  # pyright: ignore[reportUnknownVariableType]  # an event is Any
                given: Any = event["Records"]
                if kind is not dict or not given or type(given) is not list or (windows and "window" in event):
                    return None
                records: list[Any] = [*given]  # a handler that changes the event's list moves no outcome
                if outer:
                    (key,) = outer
                    found: list[Any] = [each[key][name] for each in records if each["eventSource"] == service]
                else:
                    found = [each[name] for each in records if each["eventSource"] == service]
                if len(found) == len(records) and all(found):
                    "".join(found)  # the quickest way to see that all of them are strings
                    return records, found
            except Exception:
                pass
            return None

        return read


def _leading_to(*path: str) -> Callable[[Any], Any]:
    """Return a function of a raw record that gives the value at a path, or None where there is none."""

    def value_at(record: Any) -> Any:
        for key in path:
            record = record.get(key) if is_object(record) else None
        return record

    return value_at


def _windows_of(batch: Batch) -> ModuleType | None:
    """Return the module of tumbling windows, where a batch belongs to one."""
    event = batch._event
    if not is_object(event) or event.get("window") is None:
        return None
    from batchcore import windows

    return windows
