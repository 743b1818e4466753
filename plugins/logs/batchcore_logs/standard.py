"""The standard library's logging: each of its log records has the fields of the record whose handler runs.

A filter of a logger does not see the lines of the loggers below it. A filter of a handler does not see those that
another handler writes, or one that is added later. A factory of log records sees all of them. Powertools' Logger,
formatters for JSON and AWS's own write what they find on a log record.
"""

from __future__ import annotations

import logging
from sys import _getframe  # a name of Python's documentation in spite of its underscore

from batchcore_logs.context import current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


class _Attributes(dict[str, "Any"]):
    """The attributes of a log record, of which some are ours: for those, a line may have an ``extra`` of its own.

    ``Logger.makeRecord()`` refuses to overwrite what a log record has, with a KeyError out of the log call. That would
    fail a record of its log line, and batchcore's own lines carry these fields too. So to that method, and to nobody
    else, ours are not there.
    """

    __slots__ = ("ours",)

    ours: Mapping[str, object]

    def __contains__(self, name: object) -> bool:
        if name in self.ours:
            return _getframe(1).f_code.co_name != "makeRecord"
        return super().__contains__(name)

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)  # whoever reads a pickled log record need not have this package


def install() -> None:
    """Let log records have the fields, from here on, unless they have them already."""
    factory = logging.getLogRecordFactory()
    if not getattr(factory, "batchcore_logs", False):
        logging.setLogRecordFactory(_with_fields(factory))


def _with_fields(factory: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
    def make(*arguments: Any, **options: Any) -> logging.LogRecord:
        line = factory(*arguments, **options)
        context = current.get()
        if context is not None:
            fields = context.fields()
            attributes = _Attributes(line.__dict__)
            attributes.update(fields)
            attributes.ours = fields
            line.__dict__ = attributes
        return line

    make.batchcore_logs = True  # type: ignore[attr-defined]  # a mark on a function
    return make
