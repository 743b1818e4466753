"""How a handler is called: by position or as ``record=``, with the Lambda context or without."""

from __future__ import annotations

import sys
from functools import partial
from types import AsyncGeneratorType, FunctionType, GeneratorType, MethodType

from batchcore.errors import HandlerSignatureError, kind_of, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

CONTEXT = "lambda_context"
_VARARGS, _VARKEYWORDS, _GENERATOR, _COROUTINE = 0x04, 0x08, 0x20 | 0x200, 0x80


class Parameters:
    """What a callable accepts.

    Attributes:
        positional: names that may be given by position, in order.
        by_name: names that may be given by keyword.
        required: names without a default.
        varargs: whether any number of further positional arguments is accepted.
        varkeywords: whether any further keyword argument is accepted.
    """

    __slots__ = ("by_name", "positional", "required", "varargs", "varkeywords")

    def __init__(
        self, positional: list[str], by_name: set[str], required: set[str], varargs: bool, varkeywords: bool
    ) -> None:
        self.positional = positional
        self.by_name = by_name
        self.required = required
        self.varargs = varargs
        self.varkeywords = varkeywords


class Binding:
    """A handler, examined once.

    Attributes:
        handler: the handler.
        keyword: the name to give the record by, or None to give it by position.
        takes_context: whether ``lambda_context`` is one of its parameters.
        needs_context: whether that parameter has no default.
        asks: names of its further parameters, which a source or a step before the records may give.
        needs: those of them without a default.
        is_coroutine_function: whether calling it gives a coroutine.
        plain: takes a record alone, and calls the handler without a context.
    """

    __slots__ = (
        "asks",
        "handler",
        "is_coroutine_function",
        "keyword",
        "needs",
        "needs_context",
        "plain",
        "takes_context",
    )

    def __init__(self, handler: Callable[..., Any]) -> None:
        if not callable(handler):
            raise HandlerSignatureError(f"A record handler is a function of one record, not {shown(handler)}.")
        if is_generator_function(handler):
            raise HandlerSignatureError(
                f"{name_of(handler)} has a yield in it, so calling it runs nothing. A record handler is a plain or a "
                "coroutine function."
            )
        parameters = _parameters(handler)
        self.handler = handler
        self.takes_context = CONTEXT in parameters.by_name
        self.needs_context = CONTEXT in parameters.required
        name = _record_parameter(handler, parameters)
        self.keyword = _record_keyword(handler, parameters, name)
        self.asks = parameters.by_name - {name, CONTEXT}
        self.needs = parameters.required - {name, CONTEXT}
        self.is_coroutine_function = is_coroutine_function(handler)
        self.plain = _by_keyword(handler, self.keyword) if self.keyword else handler

    def with_context(self, context: Any) -> Callable[[Any], Any]:
        """Give the callable that takes a record alone.

        Args:
            context: the Lambda context, or None, for the parameter that the handler has for it.

        Raises:
            HandlerSignatureError: the handler needs a context and there is none.
        """
        handler, keyword = self.handler, self.keyword
        if context is None:
            if self.needs_context:
                raise HandlerSignatureError(
                    f"{name_of(handler)} needs `{CONTEXT}` and no context was given. Pass the Lambda context on, or "
                    "give the parameter a default."
                )
            return self.plain
        if keyword is None:
            return lambda record: handler(record, lambda_context=context)
        return lambda record: handler(**{keyword: record, CONTEXT: context})


def _by_keyword(handler: Callable[..., Any], keyword: str) -> Callable[[Any], Any]:
    if keyword == "record":
        return lambda record: handler(record=record)
    return lambda record: handler(**{keyword: record})


def is_awaitable(value: object) -> bool:
    """Say whether a value has to be awaited."""
    return hasattr(type(value), "__await__")


def runs_later(value: object) -> bool:
    """Say whether something is still to be done, of which this is no more than the promise."""
    kind = type(value)  # what a proxy stands for is not asked: that may run something, or raise
    if hasattr(kind, "__await__") or hasattr(kind, "add_done_callback"):
        return True
    return issubclass(kind, (GeneratorType, AsyncGeneratorType))


def discard(value: Any) -> None:
    """Close what will never run: no warning of a coroutine that was never awaited."""
    close = getattr(value, "close", None)
    if close is not None:
        close()


def is_coroutine_function(function: Any) -> bool:
    """Say whether calling this gives a coroutine: functions, methods, partials and objects with such a ``__call__``."""
    function = _undressed(function)
    own: Any = getattr(function, "__dict__", {})
    if "_is_coroutine_marker" in own or "_is_coroutine" in own:  # of inspect.markcoroutinefunction, or older
        return True
    return bool(_flags(function) & _COROUTINE)


def plainly_wrapped(function: Any) -> Any:
    """Return the coroutine function that a plain one is wrapped round, by what ``functools.wraps`` leaves; or None."""
    if is_coroutine_function(function):
        return None
    seen: set[int] = set()
    while id(function) not in seen:
        seen.add(id(function))
        function = _undressed(function)
        if is_dispatching(function):
            return None
        own: Any = getattr(function, "__dict__", {})
        wrapped: Any = own.get("__wrapped__")
        if wrapped is None:
            return None
        function = wrapped
        if is_coroutine_function(function):
            return function
    return None


def is_dispatching(function: Any) -> bool:
    """Whether this is what ``functools.singledispatch`` makes: it calls by position, and returns what it is given."""
    own: Any = getattr(function, "__dict__", {})
    return "dispatch" in own and "registry" in own


def is_generator_function(function: Any) -> bool:
    """Say whether calling this gives a generator, sync or async, and so runs nothing of it."""
    return bool(_flags(_undressed(function)) & _GENERATOR)


def _undressed(function: Any) -> Any:
    while isinstance(function, partial):
        function = function.func
    return function.__func__ if isinstance(function, MethodType) else function


def _flags(function: Any) -> int:
    """Read the flags of the code that a call runs; an ``AsyncMock`` has the likeness of such code."""
    flags: int = getattr(getattr(function, "__code__", None), "co_flags", 0)
    call: Any = getattr(_kind(function), "__call__", None)  # noqa: B004 - its code is wanted, not whether it is callable
    return flags | int(getattr(getattr(call, "__code__", None), "co_flags", 0))


def _kind(value: object) -> type:
    return type(value)


def _record_keyword(handler: Callable[..., Any], parameters: Parameters, name: str | None) -> str | None:
    """Say whether the record is given by name, and by which: None where it is given by position."""
    if CONTEXT in parameters.required and CONTEXT not in parameters.by_name:
        raise HandlerSignatureError(f"{name_of(handler)} takes `{CONTEXT}` by position only; it is given by name.")
    first = parameters.positional[0] if parameters.positional else None
    if name is None or (name == first and not (name == "record" in parameters.by_name and parameters.varkeywords)):
        return None
    if name not in parameters.by_name and not parameters.varkeywords:
        raise HandlerSignatureError(f"{name_of(handler)} takes `{name}` by position only, after another parameter.")
    return name


def _record_parameter(handler: Callable[..., Any], parameters: Parameters) -> str | None:
    """Choose the record's parameter: the one named ``record``, else the first that is not the Lambda context."""
    if "record" in parameters.by_name:
        return "record"
    for name in parameters.positional:
        if name != CONTEXT:
            return name
    if parameters.varargs and CONTEXT not in parameters.positional:  # which the record would take the place of
        return None
    if parameters.varkeywords:
        return "record"
    by_name = parameters.by_name - {CONTEXT}
    for names in (by_name & parameters.required, by_name):
        if len(names) == 1:
            return names.pop()
    raise HandlerSignatureError(f"{name_of(handler)} takes no record. A record handler is a function of one record.")


def _parameters(handler: Callable[..., Any]) -> Parameters:
    """Read the parameters from the code object; fall back on ``inspect`` for what is no plain function.

    A decorated function that hides its signature behind ``*args, **kwargs`` is read through ``__wrapped__``, as
    :func:`inspect.signature` does.
    """
    function, skipped = handler, 0
    if isinstance(function, MethodType):
        function, skipped = function.__func__, 1
    if isinstance(function, FunctionType) and "__signature__" not in function.__dict__:
        catch_all = function.__code__.co_flags & (_VARARGS | _VARKEYWORDS)
        if not (catch_all and hasattr(function, "__wrapped__")):
            return _from_code(function, skipped)
    return _from_signature(handler)


def _from_code(function: FunctionType, skipped: int) -> Parameters:
    code = function.__code__
    names, count = code.co_varnames, code.co_argcount
    keyword_only = names[count : count + code.co_kwonlyargcount]
    defaults = len(function.__defaults__ or ())
    required = set(names[skipped : count - defaults]) | (set(keyword_only) - set(function.__kwdefaults__ or ()))
    return Parameters(
        positional=list(names[skipped:count]),
        by_name={*names[max(skipped, code.co_posonlyargcount) : count], *keyword_only},
        required=required,
        varargs=bool(code.co_flags & _VARARGS),
        varkeywords=bool(code.co_flags & _VARKEYWORDS),
    )


def _from_signature(handler: Callable[..., Any]) -> Parameters:
    import inspect

    try:
        if sys.version_info >= (3, 14):
            # As text: annotations are evaluated when they are asked for, and may name what only type checkers import.
            from annotationlib import Format

            parameters = inspect.signature(handler, annotation_format=Format.STRING).parameters.values()
        else:
            parameters = inspect.signature(handler).parameters.values()
    except Exception:  # a builtin without a signature, say: one positional argument is the best guess
        return Parameters([], set(), set(), varargs=True, varkeywords=False)
    kinds = inspect.Parameter
    positional = [p.name for p in parameters if p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)]
    by_name = {p.name for p in parameters if p.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)}
    variable = (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD)
    required = {p.name for p in parameters if p.default is kinds.empty and p.kind not in variable}
    # What hides behind `*args, **kwargs` may want the name (an idempotency decorator looks for `record=`), and may be
    # given its other arguments by the decorator.
    behind = hasattr(handler, "__wrapped__") and not is_dispatching(handler)
    if behind:
        required &= {CONTEXT}
    return Parameters(
        positional,
        by_name,
        required,
        varargs=any(p.kind is kinds.VAR_POSITIONAL for p in parameters),
        varkeywords=behind or any(p.kind is kinds.VAR_KEYWORD for p in parameters),
    )


def shown(value: object) -> str:
    """Show a value that is no function, for a message: what may be an event by its type alone."""
    if value is None or isinstance(value, (bool, int, float, type)) or (isinstance(value, str) and len(value) < 40):
        return plain(repr(value))
    return f"a {kind_of(value)}"


def shown_code(function: Any) -> str:
    """Name the code that a call of something runs, and where it stands, for a message; else its class."""
    code = getattr(_undressed(function), "__code__", None)
    if code is None:
        return kind_of(function)
    name = getattr(code, "co_qualname", code.co_name)  # Python 3.11 and later
    return plain(f"{name}, {code.co_filename.rpartition('/')[2]}:{code.co_firstlineno}", 300)


def name_of(handler: Any) -> str:
    """Name a handler for a message."""
    return f"The handler {plain(getattr(handler, '__qualname__', None) or repr(handler), 300)}"
