"""For typed views: base64, with errors that name the field and never carry what is in it."""

from __future__ import annotations

import sys
from binascii import Error, a2b_base64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["decode_base64"]


def a2b_base64_checked(text: Any) -> bytes:
    """Decode base64 strictly on a Python that cannot: it skips what is not base64, which shows in the length.

    Raises:
        ValueError: it is not base64.
    """
    decoded = a2b_base64(text)
    padding = len(text) - len(text.rstrip("="))
    if len(text) % 4 or padding > 2 or len(decoded) != len(text) // 4 * 3 - padding:
        raise ValueError("characters outside the alphabet, or after the end")
    return decoded


if sys.version_info >= (3, 11):

    def _decode_base64(text: Any) -> bytes:
        decoded = a2b_base64(text, strict_mode=True)
        # Some versions forgive padding after a whole group, which shows in the length.
        if len(text) % 4 or len(decoded) <= len(text) // 4 * 3 - 3:
            raise ValueError("padding where none belongs")
        return decoded

else:  # pragma: no cover - on Python 3.10
    _decode_base64 = a2b_base64_checked


def decode_base64(text: Any, field: str) -> bytes:
    """Decode base64, and refuse what is not base64 instead of skipping it.

    Args:
        text: what the event holds.
        field: where it holds it, for the error.

    Raises:
        binascii.Error: it is not base64.
    """
    try:
        return _decode_base64(text)
    except (TypeError, ValueError) as error:
        reason = str(error)
    raise Error(f"{field} is not base64: {reason}")
