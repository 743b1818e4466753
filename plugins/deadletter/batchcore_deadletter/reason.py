"""What is said of a failure in the attribute ``DeadLetterReason``."""

from __future__ import annotations

import re

from batchcore.failures import summary_of

LONGEST_TEXT = 1_000
"""Characters of an attribute of ours, at most."""

REFUSED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""A character that AWS refuses in a message: https://www.w3.org/TR/REC-xml/#charsets."""


def reason_of(error: BaseException | None) -> str:
    """Name an exception by its class and text, without what pydantic was given as input."""
    return "" if error is None else fitted(summary_of(error, _accepted))


def fitted(text: str) -> str:
    """Make a text fit an attribute: cut, and with a replacement for every character that AWS refuses."""
    if len(text) > LONGEST_TEXT:
        text = f"{text[: LONGEST_TEXT - 3]}..."
    return _accepted(text)


def _accepted(text: str) -> str:
    return REFUSED.sub("\ufffd", text)
