"""How the envelopes of a record are named, which makes the plugin that opens them."""

from __future__ import annotations

from batchcore import ConfigurationError
from batchcore_envelopes.envelopes import Envelope
from batchcore_envelopes.opening import Envelopes, Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from batchcore_envelopes.payloads import S3Payloads


def open(*envelopes: Envelope, place: Place | None = None, asynchronous: bool = False) -> Envelopes:  # noqa: A001 - envelopes.open(SNS, S3)
    """Return a plugin that opens what lies inside each record, such as ``open(SNS, S3)``: the outermost first.

    Args:
        envelopes: what each record is in, all of them.
        place: where the content of a record is, where the source is none of AWS's.
        asynchronous: for :class:`batchcore.AsyncBatchProcessor` alone: whether each record is opened in a thread of
            asyncio's, so that the event loop goes on while S3 answers.

    Raises:
        ConfigurationError: there is none, one is no envelope, or one stands behind another that holds nothing further.
    """
    if not envelopes:
        raise ConfigurationError("open() takes the envelopes of a record, the outermost first: open(SNS, S3).")
    given: tuple[Any, ...] = envelopes
    for number, envelope in enumerate(given):
        if not isinstance(envelope, Envelope):
            hint = f" Make one of it: {envelope.__name__}(...)." if isinstance(envelope, type) else ""
            raise ConfigurationError(
                f"An envelope is one such as SNS, or an object of Envelope, not {envelope!r}.{hint}"
            )
        if not envelope.holds_more and number + 1 < len(envelopes):
            raise ConfigurationError(
                f"No further envelope is inside of {envelope.name}: it is named last. Name {envelopes[number + 1]!r} "
                "before it, or leave it out."
            )
    if place is not None and not isinstance(place, Place):
        raise ConfigurationError(f"place is a Place, such as Place('kinesis', 'data', base64=True), not {place!r}.")
    payloads = _payloads_in(envelopes)
    if payloads is not None and payloads.delete:
        from batchcore_envelopes.payloads import DeletingEnvelopes

        return DeletingEnvelopes(envelopes, place, asynchronous)
    return Envelopes(envelopes, place, asynchronous)


def _payloads_in(envelopes: tuple[Envelope, ...]) -> S3Payloads | None:
    import sys

    module: Any = sys.modules.get("batchcore_envelopes.payloads")  # loaded, if one was made
    found = [each for each in envelopes if module is not None and isinstance(each, module.S3Payloads)]
    if len(found) > 1:
        raise ConfigurationError("A record points to one payload in S3. Name S3Payloads once.")
    return found[0] if found else None
