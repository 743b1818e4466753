"""Tests of the contract: what a handler gets."""

from __future__ import annotations

import base64
import copy
import decimal
import json
import os
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from batchcore import RecordView, hookimpl
from batchcore.errors import chained
from batchcore_testing.contract import rules
from batchcore_testing.contract.broken import Path, Replacing, at_place, broken_copy, content_places, places
from batchcore_testing.contract.checks import dotted, names_it, shown
from batchcore_testing.contract.runs import CONCURRENT_DRIVERS, Driver, Handler, one_by_one

if TYPE_CHECKING:
    from batchcore_testing.contract.probe import Probe

_MARKED = "marked, and no JSON {"


class DecodingTests:
    """What a handler gets."""

    @pytest.mark.parametrize("driver", CONCURRENT_DRIVERS, ids=lambda driver: driver.__name__)
    def test_a_handler_gets_its_own_record(self, probe: Probe, driver: Driver) -> None:
        handler = Handler(pauses=True)
        run = probe.run(probe.event, handler, driver)
        records = () if run.watch.batch is None else run.watch.batch.records
        for position, raw in enumerate(records):
            record = handler.got.get(position, raw)
            if _is_view(record) and not probe.hooks.prepares and dict(record) != raw:
                rules.DECODED.broken(f"{driver.__name__}: a handler gets another record than {position}", probe.name)
        kept = [record for record in handler.got.values() if not isinstance(record, (str, int, bytes, type(None)))]
        if len({id(record) for record in kept}) != len(kept):
            rules.DECODED.broken(f"{driver.__name__}: two handlers get the same object", probe.name)

    def test_a_record_that_comes_again_is_read_anew(self, probe: Probe, event_of: Callable[[int], Any]) -> None:
        probe.run(event_of(3))
        again = event_of(3)
        changed: dict[int, Any] = {
            position: {**record, "read anew": True}
            for position, record in enumerate(probe.hooks.extract_records(again))
            if isinstance(record, dict)
        }
        handler = Handler()
        probe.run(again, handler, plugins=[Replacing(changed)])
        stale = [at for at, record in handler.got.items() if _is_view(record) and "read anew" not in record]
        if stale:
            rules.DECODED.broken(f"records {stale} came again, and handlers get what came first", probe.name)

    def test_what_a_plugin_prepares_is_decoded(self, probe: Probe, event_of: Callable[[int], Any]) -> None:
        class Preparing:
            @hookimpl(wrapper=True)
            def record_preparer(self) -> Generator[None, Callable[[Any], Any], Callable[[Any], Any]]:
                inner = yield

                def prepare(record: Any) -> Any:
                    return _with_mark(copy.deepcopy(inner(record)))

                return prepare

        handler = Handler()
        run = probe.run(event_of(3), handler, plugins=[Preparing()])
        if run.named or len(handler.got) != 3:
            rules.DECODED.broken(f"a plugin prepares copies of records, and {sorted(run.named)} fail", probe.name)
        lost = [at for at, record in handler.got.items() if _is_view(record) and "prepared" not in record]
        if lost:
            rules.DECODED.broken(f"a plugin prepares records, and handlers get {lost} as they were", probe.name)

    def test_a_good_record_can_be_read(self, probe: Probe) -> None:
        handler = Handler()
        probe.run(probe.event, handler)
        for position, record in handler.got.items():
            for name, value in _read(record, deep=False):
                if isinstance(value, Exception) and not isinstance(value, ValueError):
                    rules.READABLE.broken(f"{name} of record {position} raises {shown(value)}", probe.name, value)

    def test_what_is_no_json_is_not_read_as_something(self, probe: Probe) -> None:
        record = probe.hooks.extract_records(probe.event)[1]
        good = dict(_read(self._decoded(probe, record)))
        for path, content, as_sent in _json_in(record):
            parsed = [name for name, value in good.items() if type(value) in (dict, list) and value == content]
            broken: dict[str, Any] = {}
            with suppress(Exception):  # or it is refused as it is decoded
                broken.update(_read(self._decoded(probe, broken_copy(record, path, as_sent(_MARKED)))))
            for name in parsed:
                if name in broken and not isinstance(broken[name], Exception):
                    seen = f"{dotted(path)} is no JSON, and {name} gives {broken[name]!r}"
                    rules.READABLE.broken(seen, probe.name)

    def test_errors_hold_no_content(self, probe: Probe) -> None:
        first, record = probe.hooks.extract_records(probe.event)[:2]
        elsewhere = dict(_texts(first))
        content = content_places(probe)
        for path, text in _texts(record):
            # What all records have alike says where they are from; what names one may be told.
            if (elsewhere.get(path) == text and path not in content) or names_it(probe, record, path):
                continue
            for as_sent in (str, _base64):
                try:
                    decoded = self._decoded(probe, broken_copy(record, path, as_sent(_MARKED)))
                    errors = [value for _, value in _read(decoded) if isinstance(value, Exception)]
                except Exception as refusal:
                    errors = [refusal]
                for error in errors:
                    if any(_tells(each) for each in chained(error)):
                        rules.SILENT.broken(f"{dotted(path)} cannot be read: {shown(error)}", probe.name)

    def test_it_changes_nothing_of_the_process(self, probe: Probe) -> None:
        changed: list[str] = []

        def run() -> None:
            before, handler = _process(), Handler([1])
            probe.run(probe.event, handler)
            for record in handler.got.values():
                _read(record)
            changed.extend(name for name, value in _process().items() if value != before[name])

        thread = threading.Thread(target=run)  # in which nobody has changed anything yet
        thread.start()
        thread.join()
        if changed:
            rules.NO_TRACE.broken(f"after a batch another {' and '.join(changed)}", probe.name)

    def _decoded(self, probe: Probe, record: Any) -> Any:
        batch = probe.run(probe.event, driver=one_by_one).watch.batch
        if batch is None:
            return record
        return probe.hooks.record_decoder(batch)(record)


def _process() -> dict[str, Any]:
    return {
        "decimal context": repr(decimal.getcontext()),
        "environment": dict(os.environ),
        "working folder": os.getcwd(),  # noqa: PTH109 - it is compared, not used
        "sys.path": list(sys.path),
        "recursion limit": sys.getrecursionlimit(),
    }


def _is_view(record: Any) -> bool:
    """Whether this shows a raw record. What else a decoder makes of one, nobody knows."""
    return isinstance(record, RecordView)


def _with_mark(record: Any) -> Any:
    marked: Any = record
    if isinstance(record, dict):
        marked["prepared"] = True
    return marked


def _read(record: Any, *, deep: bool = True) -> list[tuple[str, Any]]:
    """Read every property of a typed record, and those of its typed parts; what one raises is given instead."""
    found: list[tuple[str, Any]] = []
    for name in _properties(record):
        try:
            value = getattr(record, name)
        except Exception as error:
            value = error
        found.append((name, value))
        if deep:
            found += [(f"{name}.{inner}", each) for inner, each in _read(value)]
    return found


def _kind(record: object) -> type:
    return type(record)


def _properties(record: Any) -> list[str]:
    kind = _kind(record)
    if kind.__module__ in ("builtins", "decimal", "datetime") or isinstance(record, BaseException):
        return []
    names = {name: value for base in reversed(kind.__mro__) for name, value in vars(base).items()}
    return [
        name
        for name, value in names.items()
        if not name.startswith("_") and hasattr(value, "__get__") and not callable(value)
    ]


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _texts(record: Any) -> Iterator[tuple[Path, str]]:
    for path in places(record):
        text = at_place(record, path)
        if isinstance(text, str):
            yield path, text


def _json_in(record: Any) -> Iterator[tuple[Any, Any, Callable[[str], str]]]:
    """Return the places of a record that hold an object or a list as JSON, plain or in base64."""
    for path, text in _texts(record):
        for as_sent, plain in ((str, str), (_base64, _from_base64)):
            try:
                content = json.loads(plain(text))
            except ValueError:
                continue
            if isinstance(content, (dict, list)):
                yield path, content, as_sent


def _from_base64(text: str) -> str:
    return base64.b64decode(text, validate=True).decode()


def _tells(error: BaseException) -> bool:
    texts = [str(error), repr(error.args)]  # what is logged, and reported
    return any(_MARKED in text or _base64(_MARKED) in text for text in texts)
