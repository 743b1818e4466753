"""structlog: a processor that adds the fields, and context variables where nobody has put it among the processors."""

from __future__ import annotations

import sys
from contextlib import suppress

from batchcore_logs.context import RecordContext, current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping
    from contextvars import Token
    from typing import Any


def add_record(
    logger: object,  # noqa: ARG001 - structlog calls it so
    method_name: str,  # noqa: ARG001 - as above
    event_dict: MutableMapping[str, Any],
) -> MutableMapping[str, Any]:
    """Add the fields of the record whose handler runs to an event: a processor of structlog.

    Args:
        logger: not used.
        method_name: not used.
        event_dict: the event. What it has already is kept.
    """
    context = current.get()
    if context is not None:
        for name, value in context.fields().items():
            event_dict.setdefault(name, value)
    return event_dict


def context_variables() -> Any:
    """Return structlog's context variables, where it takes fields from them and from nothing of ours; else None."""
    structlog: Any = sys.modules.get("structlog")
    if structlog is None:
        return None
    processors = structlog.get_config()["processors"]
    merges = structlog.contextvars.merge_contextvars in processors
    return structlog.contextvars if merges and add_record not in processors else None


class BoundContext(RecordContext):
    """A record whose fields are bound for structlog too while its handler runs. They are made whether it logs or not.

    What is bound later stays to the end of the record, whose context variables are its own.
    """

    __slots__ = ("_tokens", "variables")

    variables: Any

    def __enter__(self) -> None:
        super().__enter__()
        self._tokens: Mapping[str, Token[Any]] = self.variables.bind_contextvars(**self.fields())

    def bind(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Add fields to the lines that are still written of the record, those of structlog too."""
        plain = super().bind(fields)
        self.variables.bind_contextvars(**plain)
        return plain

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        with suppress(ValueError):  # as above, of a record that is abandoned
            self.variables.reset_contextvars(**self._tokens)
