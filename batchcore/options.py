"""Checks of what a processor is told, each before the first record."""

from __future__ import annotations

from batchcore.disposition import Disposition
from batchcore.errors import ConfigurationError
from batchcore.handler import is_coroutine_function
from batchcore.ordering import Ordering

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from batchcore.plugins import Plugins

_EXTENSION = "a plugin with wrap_handler(), or a decorator on the record handler"
INSTEAD_OF = {
    "_prepare": "a plugin with batch_started()",
    "_clean": "a plugin with batch_finished()",
    "_process_record": _EXTENSION,
    "_async_process_record": _EXTENSION,
    "_to_batch_type": "a plugin that wraps record_decoder()",
    "_register_model_validation_error_record": "failure_handler()",
    "_get_messages_to_report": "a plugin that wraps build_response()",
    "_has_messages_to_report": "a plugin that wraps build_response()",
    "_entire_batch_failed": "raise_on_entire_batch_failure=False",
    "_collect_sqs_failures": "a plugin that wraps identify_records()",
    "_collect_kinesis_failures": "a plugin that wraps identify_records()",
    "_collect_dynamodb_failures": "a plugin that wraps identify_records()",
    "_collect_kafka_failures": "a plugin that wraps identify_records()",
}
"""Private methods that subclasses of other batch utilities override, and what does the same here."""


def refuse_dead_overrides(cls: type[Any], base: type[Any]) -> None:
    """Refuse a subclass that overrides what is never called, itself or by a mix-in, or what nobody would await.

    Raises:
        ConfigurationError: it names the override, and what does the same here.
    """
    for name, instead in INSTEAD_OF.items():
        if getattr(cls, name, None) is not getattr(base, name, None):
            raise ConfigurationError(f"{cls.__name__} overrides {name}(), which is never called. Instead: {instead}.")
    for name in ("success_handler", "failure_handler"):
        if is_coroutine_function(getattr(cls, name)):
            raise ConfigurationError(
                f"{name}() of {cls.__name__} is a coroutine function, and nobody awaits it. Define it with a plain def."
            )


def checked_ordering(ordering: Any) -> Ordering | None:
    """Check that an ordering is one."""
    if ordering is not None and not isinstance(ordering, Ordering):
        raise ConfigurationError(f"ordering is unordered, in_order(...) or by_key(...), not {ordering!r}.")
    return ordering


def checked_concurrency(given: Any, default: int) -> int:
    """Check a number of lanes that run at a time."""
    if given is None:
        return default
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        raise ConfigurationError(f"max_concurrency is a whole number from 1 on, not {given!r}.")
    return given


def checked_dispositions(dispositions: Mapping[Any, Any], plugins: Plugins) -> dict[type[BaseException], Disposition]:
    """Check what exceptions are mapped to, and that somebody delivers dead letters where there may be any."""
    if not hasattr(dispositions, "items"):
        raise ConfigurationError(f"dispositions maps exception types to Disposition; {dispositions!r} is no mapping.")
    for kind, disposition in dispositions.items():
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise ConfigurationError(
                f"dispositions maps exception types to Disposition; {kind!r} is no exception type."
            )
        if not isinstance(disposition, Disposition):
            raise ConfigurationError(f"dispositions[{kind.__name__}] is a Disposition, not {disposition!r}.")
    if Disposition.DEAD_LETTER in dispositions.values() and plugins.dead_letter is None:
        raise ConfigurationError(
            "dispositions sends records to a dead letter and nobody delivers them. Pass a plugin that implements "
            "deliver_dead_letter(outcome)."
        )
    return dict(dispositions)
