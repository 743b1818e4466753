"""The plugin: opens the context of each record."""

from __future__ import annotations

import os
from contextlib import nullcontext

from batchcore import ConfigurationError, hookimpl
from batchcore_logs import standard
from batchcore_logs.context import RecordContext, current
from batchcore_logs.structured import BoundContext, context_variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from typing import Any

    from batchcore import Batch

_NOTHING = nullcontext()
_YES = ("1", "true", "yes", "on")


class LogContext:
    """Binds source, identifier and attempt of a record to each log line that is written inside its handler.

    The fields are named as in batchcore's own lines: ``batch_source``, ``item_identifier`` and ``delivery_attempt``.

    Args:
        describe: whether ``record_description`` is among them: the queue, the message group, the shard or the
            partition. By default what ``BATCHCORE_LOGS_DESCRIBE`` says, ``1`` or ``true``; else not.
        fields: the raw record to further fields, called when the first line is written.

    Raises:
        ConfigurationError: ``fields`` is no function.
    """

    def __init__(
        self, *, describe: bool | None = None, fields: Callable[[Any], Mapping[str, Any]] | None = None
    ) -> None:
        if fields is not None and not callable(fields):
            raise ConfigurationError(
                "fields is a function from a raw record to a mapping, as in LogContext(fields=lambda record: {...}), "
                f"not something of the type {type(fields).__name__}."
            )
        if describe is None:
            describe = os.environ.get("BATCHCORE_LOGS_DESCRIBE", "").strip().lower() in _YES
        self._describe = describe
        self._fields = fields
        self._variables: Any = None  # those of structlog, of which a process has one set
        standard.install()

    @hookimpl
    def batch_started(self) -> None:
        """Look how logging and structlog are set up by now: whoever sets another factory may not keep ours."""
        standard.install()
        self._variables = context_variables()

    @hookimpl
    def record_scope(self, record: object, batch: Batch, position: int) -> AbstractContextManager[None]:
        """Open the context of a record."""
        outer = current.get()
        if outer is not None and outer.batch is batch and outer.position == position:
            return _NOTHING  # another plugin of this kind has opened it
        if self._variables is None:
            return RecordContext(batch, position, self._describe, self._fields)
        context = BoundContext(batch, position, self._describe, self._fields)
        context.variables = self._variables
        return context
