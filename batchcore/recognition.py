"""How the source of an event, or of records, is recognised where none was named; and what is said of those refused."""

from __future__ import annotations

from batchcore._plugins.loading import find_source, installed, registered
from batchcore.callables import hookimpl, plain, type_name
from batchcore.errors import AmbiguousSourceError, PluginError, RecordIdentityError, UnexpectedBatchTypeError
from batchcore.shapes import advice_on, said_of
from batchcore.source import offered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    from batchcore.source import Source
    from batchcore.types import Record

    Resolve: TypeAlias = Callable[[str, object], Source]


def source_for(resolve: Resolve, event: Any, records: Sequence[Record] | None, *, required: bool) -> Source:
    """Return the source of an event, or of records where they are given.

    Args:
        resolve: resolves the source of a name.
        event: the event.
        records: the records, or None.
        required: whether there must be one; otherwise one that knows nothing stands in for it.
    """
    try:
        if records is None:
            return source_of_event(resolve, event)
        if not records:  # they could be any source's: no package that is installed besides may change the response
            return resolve("unknown", NO_SOURCE)
        return _find(resolve, lambda source: _identifies(source, records), lambda _: False, "these records")
    except (UnexpectedBatchTypeError, AmbiguousSourceError):
        if required:
            raise
    return resolve("unknown", NO_SOURCE)


def source_of_event(resolve: Resolve, event: Any) -> Source:
    """Find the source of an event. For ``resolve`` and errors, see :func:`_find`."""
    said, advice = said_of(event), advice_on(event)
    what = "this event" + (f", which is {said}" if said else "") + (f". {advice[:-1]}" if advice else "")
    return _find(resolve, lambda source: _claims(source, event), lambda source: not source.extract_records(event), what)


def _find(
    resolve: Resolve, recognises: Callable[[Source], bool], is_empty: Callable[[Source], bool], what: str
) -> Source:
    """Find the one source that recognises something.

    Sources that were offered are asked first; the entry points are read when none of those recognises it.

    Args:
        resolve: resolves the source of a name.
        recognises: asks one source.
        is_empty: asks one that recognises it whether there is no record in it: then any of several will do.
        what: names the thing in a message.

    Raises:
        UnexpectedBatchTypeError: no source recognises it.
        PluginError: no source recognises it, and one could not be asked: it does not load, or cannot be used.
        AmbiguousSourceError: several do.
    """
    claims: list[Source] = []
    broken: PluginError | None = None
    for names_of in (offered, registered):
        if claims:
            break
        for name in list(names_of()):
            try:
                plugin = find_source(name)
                if getattr(plugin, "only_by_name", False):  # what is its could be another's as well
                    continue
                source = resolve(name, plugin)
                if recognises(source):
                    claims.append(source)
            except PluginError as error:  # installing a package changes nothing for the others
                broken = broken or error
    if len(claims) == 1 or (claims and all(map(is_empty, claims))):
        return claims[0]
    if claims:
        names = ", ".join(sorted(source.name for source in claims))
        raise AmbiguousSourceError(f"Several sources claim {what}: {names}. Name one as event_type.", plugin=None)
    if broken is not None:
        raise broken
    raise UnexpectedBatchTypeError(
        f"No installed source claims {what}. {installed()} Install the source's package, or pass the event as Lambda "
        "delivered it."
    )


def _claims(source: Source, event: Any) -> bool:
    """Whether a source claims an event. One that raises does not: it was made for others."""
    try:
        return bool(source.claims_event(event))
    except PluginError:
        raise
    except Exception:
        return False


def _identifies(source: Source, records: Sequence[Record]) -> bool:
    """Whether a source can name these records: how it is found when there is no event to ask about."""
    try:
        return None not in source.identify_records(records)
    except Exception:
        return False


class NoSource:
    """Stands for the source of records that nobody recognises, where a processor from scratch answers by itself."""

    name = "unknown"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        """Claim nothing: only records can be had from here."""
        return False

    @hookimpl
    def extract_records(self, event: Any) -> Sequence[Record]:
        """Give no records."""
        return ()

    @hookimpl
    def identify_records(self, records: Sequence[Record]) -> Sequence[None]:
        """Give no identity."""
        return [None] * len(records)


NO_SOURCE = NoSource()


# -- Events and records that are refused.

_MOST_KEYS = 20  # of an event, in a message


def refuse_empty(source: Source, identifiers: Sequence[Any]) -> None:
    """Refuse an identifier that is empty: to AWS a response with one means that the whole batch failed."""
    for position, identifier in enumerate(identifiers):
        if identifier is not None and not identifier:
            raise RecordIdentityError(
                f"The source {source.name!r} gave an empty identifier for record {position} of the batch, counting "
                "from 0, so no response could name it.",
                position=position,
            )


def unexpected(source: Source, event: Any) -> UnexpectedBatchTypeError:
    """Return the error of an event that the source named does not claim."""
    keys = ""
    given: Any = event
    if isinstance(event, dict):
        more = f" and {len(given) - _MOST_KEYS} more" if len(given) > _MOST_KEYS else ""
        keys = f" with {', '.join(plain(key, 60) for key in [*given][:_MOST_KEYS]) or 'no keys'}{more}"
    said = said_of(event)
    what = f" It is {said}." if said else ""
    advice = advice_on(event) or (
        "Is the processor made for this event source, are all records of one source, and is this the event as Lambda "
        "delivered it?"
    )
    return UnexpectedBatchTypeError(
        f"The source {source.name!r} does not claim this event, a {type_name(given)}{keys}.{what} {advice}"
    )
