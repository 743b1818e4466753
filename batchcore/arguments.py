"""What handlers ask for besides the record, by the names of their parameters: a source or a step gives it."""

from __future__ import annotations

from batchcore.errors import HandlerSignatureError, PluginError
from batchcore.handler import CONTEXT, name_of, shown
from batchcore.outcome import is_mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from batchcore.handler import Binding
    from batchcore.invocation import Invocation


def bind_arguments(invocation: Invocation, given: Mapping[str, Any]) -> None:
    """Give the handler what it asks for besides the record.

    Args:
        invocation: the batch.
        given: name to argument, the same for all records.

    Raises:
        HandlerSignatureError: it needs an argument that nobody gives.
        PluginError: the source gives no mapping.
    """
    binding, source = invocation.binding, invocation.settings.source
    if binding is None:
        return
    offered: Any = source.handler_arguments(invocation)
    if not is_mapping(offered):
        raise PluginError(
            f"handler_arguments() of source {source.name!r} gives a mapping, not {shown(offered)}.",
            plugin=source.plugin,
            hook="handler_arguments",
        )
    _check_given(binding, {*offered, *given})
    asked = {name: make for name, make in offered.items() if name in binding.asks and name not in given}
    if asked or binding.asks.intersection(given):
        invocation.call = _with_arguments(binding, invocation.context, given)
    if asked:
        invocation.arguments, invocation.held_open = asked, True


def _with_arguments(binding: Binding, context: Any, given: Mapping[str, Any]) -> Callable[..., Any]:
    """Give the callable that takes a record, and further arguments for this record alone.

    Raises:
        HandlerSignatureError: the handler needs a context and there is none.
    """
    handler, keyword = binding.handler, binding.keyword
    given = {name: value for name, value in given.items() if name in binding.asks}
    if binding.takes_context and context is not None:
        given[CONTEXT] = context
    elif binding.needs_context:
        binding.with_context(None)  # raises

    def call(record: Any, more: Mapping[str, Any] | None = None) -> Any:
        arguments = {**given, **more} if more else given
        return handler(record, **arguments) if keyword is None else handler(**{keyword: record}, **arguments)

    return call


def _check_given(binding: Binding, names: Iterable[str]) -> None:
    """Check that the handler gets every argument that it needs."""
    missing = binding.needs.difference(binding.asks.intersection(names))
    if missing:
        offered = ", ".join(sorted(names))
        raise HandlerSignatureError(
            f"{name_of(binding.handler)} needs {', '.join(sorted(missing))} besides the record. A record handler takes "
            f"one record, and `{CONTEXT}` if it wants the Lambda context. What else it asks for comes from the source, "
            "such as the `state` of a tumbling window, or from before_records() of a plugin; for this batch "
            + (f"they give {offered}." if offered else "they give nothing.")
        )
