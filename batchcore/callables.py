"""What a callable is and how a record handler is called; values and texts of others in messages of ours."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from types import AsyncGeneratorType, FunctionType, GeneratorType, MethodType

from batchcore.errors import HandlerSignatureError, raise_if_steering

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable
    from typing import Any, TypeGuard, TypeVar, overload

    F = TypeVar("F", bound=Callable[..., Any])

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

    def __init__(
        self, positional: list[str], by_name: set[str], required: set[str], varargs: bool, varkeywords: bool
    ) -> None:
        self.positional = positional
        self.by_name = by_name
        self.required = required
        self.varargs = varargs
        self.varkeywords = varkeywords


class Signature:
    """How a handler is called, read once.

    Attributes:
        keyword: the name to give the record by, or None to give it by position.
        takes_context: whether ``lambda_context`` is one of its parameters.
        needs_context: whether that parameter has no default.
        asks: names of its further parameters, which a source or a batch hook before the records may give.
        needs: those of them without a default.
        is_coroutine_function: whether calling it gives a coroutine.
        is_plain: whether it takes a record by position, and nothing else.
    """

    def __init__(self, handler: Callable[..., Any]) -> None:
        if not callable(handler):
            raise HandlerSignatureError(f"A record handler is a function of one record, not {describe_value(handler)}.")
        if _flags(_undressed(handler)) & _GENERATOR:
            raise HandlerSignatureError(
                f"{name_of(handler)} has a yield in it, so calling it runs nothing. A record handler is a plain or a "
                "coroutine function."
            )
        parameters = _parameters(handler)
        self.takes_context = CONTEXT in parameters.by_name
        self.needs_context = CONTEXT in parameters.required
        name = _record_parameter(handler, parameters)
        self.keyword = _record_keyword(handler, parameters, name)
        self.asks = parameters.by_name - {name, CONTEXT}
        self.needs = parameters.required - {name, CONTEXT}
        self.is_coroutine_function = is_coroutine_function(handler)
        self.is_plain = not (self.keyword or self.takes_context or self.asks or self.needs)

    def call(self, handler: Callable[..., Any], context: Any) -> Callable[[Any], Any]:
        """Return the callable that takes a record alone, and calls a handler of this signature, with a context or None.

        Raises:
            HandlerSignatureError: the handler needs a context and there is none.
        """
        keyword = self.keyword
        if not self.takes_context or context is None:
            if self.needs_context:
                raise HandlerSignatureError(
                    f"{name_of(handler)} needs `{CONTEXT}` and no context was given. Pass the Lambda context on, or "
                    "give the parameter a default."
                )
            if keyword is None:
                return handler
            if keyword == "record":
                return lambda record: handler(record=record)
            return lambda record: handler(**{keyword: record})
        if keyword is None:
            return lambda record: handler(record, lambda_context=context)
        return lambda record: handler(**{keyword: record, CONTEXT: context})


def known_by(handler: Any) -> object:
    """Return what a handler is known by: its code, where it is a plain function, which may be made for each batch."""
    if type(handler) is MethodType:  # which is made anew each time that it is named
        return handler.__func__
    if type(handler) is FunctionType and not (handler.__defaults__ or handler.__kwdefaults__ or handler.__dict__):
        return handler.__code__
    return handler


def identity(value: Any) -> Any:
    """Return a value as it is: the default preparer and decoder of records."""
    return value


def is_awaitable(value: object) -> bool:
    """Whether a value has to be awaited."""
    return hasattr(type(value), "__await__")


def is_deferred(value: object) -> bool:
    """Whether this is only the promise of something that is still to be done."""
    kind = type(value)  # what a proxy stands for is not asked: that may run something, or raise
    if hasattr(kind, "__await__") or hasattr(kind, "add_done_callback"):
        return True
    return issubclass(kind, (GeneratorType, AsyncGeneratorType))


def close_unawaited(value: Any) -> None:
    """Close what will never run: no warning of a coroutine that was never awaited."""
    close = getattr(value, "close", None)
    if close is not None:
        close()


def is_coroutine_function(function: Any) -> bool:
    """Whether calling this gives a coroutine: functions, methods, partials and objects with such a ``__call__``."""
    function = _undressed(function)
    own: Any = getattr(function, "__dict__", {})
    if "_is_coroutine_marker" in own or "_is_coroutine" in own:  # of inspect.markcoroutinefunction, or older
        return True
    return bool(_flags(function) & _COROUTINE)


def plainly_wrapped(function: Any) -> Any:
    """Return the coroutine function that a plain one is wrapped round, by what ``functools.wraps`` leaves; or None."""
    found: Any = function
    seen: set[int] = set()
    while id(found) not in seen and not is_coroutine_function(found):
        seen.add(id(found))
        found = _undressed(found)
        own: Any = getattr(found, "__dict__", {})
        found = None if is_dispatching(found) else own.get("__wrapped__")
    return None if found is function or not is_coroutine_function(found) else found


def is_dispatching(function: Any) -> bool:
    """Whether this is what ``functools.singledispatch`` makes: it calls by position, and returns what it is given."""
    own: Any = getattr(function, "__dict__", {})
    return "dispatch" in own and "registry" in own


def undecorated(function: Any) -> tuple[Any, int]:
    """Return the function whose arguments count, behind decorators, and how many of them are bound."""
    skipped = 0
    while True:
        if isinstance(function, MethodType):
            function, skipped = function.__func__, 1
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        else:
            return function, skipped


def _undressed(function: Any) -> Any:
    while isinstance(function, partial):
        function = function.func
    return function.__func__ if isinstance(function, MethodType) else function


def _flags(function: object) -> int:
    """Read the flags of the code that a call runs; an ``AsyncMock`` has the likeness of such code."""
    flags: int = getattr(getattr(function, "__code__", None), "co_flags", 0)
    call = getattr(type(function), "__call__", None)  # noqa: B004 - its code is wanted, not whether it is callable
    return flags | int(getattr(getattr(call, "__code__", None), "co_flags", 0))


def _record_keyword(handler: Callable[..., Any], parameters: Parameters, name: str | None) -> str | None:
    """Return the name that the record is given by, or None where it is given by position."""
    if CONTEXT in parameters.required and CONTEXT not in parameters.by_name:
        raise HandlerSignatureError(f"{name_of(handler)} takes `{CONTEXT}` by position only; it is given by name.")
    first = parameters.positional[0] if parameters.positional else None
    if name is None or (name == first and not (name == "record" in parameters.by_name and parameters.varkeywords)):
        return None
    if name not in parameters.by_name and not parameters.varkeywords:
        raise HandlerSignatureError(f"{name_of(handler)} takes `{name}` by position only, after another parameter.")
    return name


def _record_parameter(handler: Callable[..., Any], parameters: Parameters) -> str | None:
    """Return the record's parameter: the one named ``record``, else the first that is not the Lambda context."""
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
    if not isinstance(function, FunctionType) or "__signature__" in function.__dict__:
        return _from_signature(handler)
    code = function.__code__
    if code.co_flags & (_VARARGS | _VARKEYWORDS) and hasattr(function, "__wrapped__"):
        return _from_signature(handler)
    names, count = code.co_varnames, code.co_argcount
    keyword_only = names[count : count + code.co_kwonlyargcount]
    defaults = len(function.__defaults__ or ())
    return Parameters(
        positional=list(names[skipped:count]),
        by_name={*names[max(skipped, code.co_posonlyargcount) : count], *keyword_only},
        required={*names[skipped : count - defaults], *keyword_only} - set(function.__kwdefaults__ or ()),
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


def is_object(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """Whether a value is a mapping, as an object of JSON is."""
    return type(value) is dict or isinstance(value, Mapping)  # Lambda gives a dict, which is quicker to see


def describe_value(value: object) -> str:
    """Return a value that is no function, for a message: what may be an event by its type alone."""
    if value is None or isinstance(value, (bool, int, float, type)) or (isinstance(value, str) and len(value) < 40):
        return plain(repr(value))
    return f"a {type_name(value)}"


def shown_code(function: Any) -> str:
    """Return the name of the code that a call of something runs, and where it stands, for a message; else its class."""
    code = getattr(_undressed(function), "__code__", None)
    if code is None:
        return type_name(function)
    name = getattr(code, "co_qualname", code.co_name)  # Python 3.11 and later
    return plain(f"{name}, {code.co_filename.rpartition('/')[2]}:{code.co_firstlineno}", 300)


def name_of(handler: Any) -> str:
    """Return the name of a handler, for a message."""
    return f"The handler {plain(getattr(handler, '__qualname__', None) or repr(handler), 300)}"


# -- Texts of others.

_LINES = "\n\t"  # what a text of several lines has besides
_LONGEST_NAME = 200
LONGEST_TEXT = 1_000
"""Characters of somebody else's text in one of ours: the text of an exception, a key, a name."""


def text_of(value: object) -> str:
    """Return ``str(value)``, or say that it has none: an exception may raise when it is printed."""
    try:
        return str.__str__(str(value))  # of a subclass, the text alone
    except BaseException as error:
        raise_if_steering(error)
        return f"<str() of it raised {type(error).__name__}>"


def plain(value: object, longest: int = LONGEST_TEXT, *, keep: str = "") -> str:
    """Return the text of something as every sink can write it: one line, bounded, with nothing in it but text.

    What UTF-8 cannot encode, control characters but those to keep, and what turns the direction of a text are escaped.
    Of a text that is too long there is the beginning, and its number of characters.
    """
    text = text_of(value)
    line = text if text.isprintable() else _escaped(text[:longest], keep)
    return line if len(line) <= longest and len(text) <= longest else f"{line[:longest]}... ({len(text)} characters)"


def named(error: BaseException, longest: int = LONGEST_TEXT) -> str:
    """Return the class and the text of an exception that is the cause of one of ours, for its message."""
    return f"{type_name(error)}: {plain(error, longest, keep=_LINES)}"


def _escaped(text: str, keep: str = "") -> str:
    import re  # most texts need none of it

    unwritable = "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"

    def escape(found: re.Match[str]) -> str:
        character = found[0]
        return character if character in keep else character.encode("unicode_escape").decode()

    return re.sub(unwritable, escape, text)


def writable(text: str) -> str:
    """Return a text of several lines with what no sink can write escaped."""
    return text if text.isprintable() else _escaped(text, keep=_LINES)


def is_writable(text: str) -> bool:
    """Whether every sink can write a text as it is, over several lines."""
    return text == writable(text)


def type_name(value: object) -> str:
    """Return the name of the type of a value, for a message."""
    return plain(type(value).__name__, _LONGEST_NAME)


# -- The marker of hooks.

if TYPE_CHECKING:

    @overload
    def hookimpl(function: F, /) -> F: ...
    @overload
    def hookimpl(
        *, wrapper: bool = False, tryfirst: bool = False, trylast: bool = False, specname: str | None = None
    ) -> Callable[[F], F]: ...


def hookimpl(
    function: Callable[..., Any] | None = None,
    *,
    wrapper: bool = False,
    tryfirst: bool = False,
    trylast: bool = False,
    specname: str | None = None,
) -> Any:
    """Mark a method as the implementation of a hook.

    Args:
        function: the method, when the marker is used without brackets.
        wrapper: the method is a generator that yields once, to wrap the implementation: ``inner = yield; return ...``.
        tryfirst: run this wrapper outside of the others.
        trylast: run this wrapper inside of the others.
        specname: the hook's name, when the method is named otherwise.

    Returns:
        The method itself, marked; or the marker, when only options were given.
    """
    options = {"wrapper": wrapper, "tryfirst": tryfirst, "trylast": trylast, "specname": specname}

    def mark(marked: F) -> F:
        marked.batchcore_impl = {**options}  # type: ignore[attr-defined]  # the form in which pluggy reads an implementation
        return marked

    return mark if function is None else mark(function)


def is_marker(options: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether this is what ``hookimpl`` leaves on a method: an object that answers to any name has another."""
    return isinstance(options, dict)
