"""What became of a task, as the result that S3 Batch Operations reads."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from batchcore import Outcome
    from batchcore_s3batch.types import ResultCode, S3BatchResponseResult

CODES: tuple[ResultCode, ...] = ("Succeeded", "TemporaryFailure", "PermanentFailure")
LONGEST_TEXT = 1024
"""Characters of a result string. AWS documents no limit; a report is a file of lines, which somebody reads."""

_CODES: dict[str, ResultCode] = {
    "succeeded": "Succeeded",
    "dropped": "PermanentFailure",
    "dead_lettered": "PermanentFailure",
}


def result_of(outcome: Outcome) -> S3BatchResponseResult:
    """Return the result of one task."""
    text = _text_of(outcome.value) if outcome.exception is None else _text_of_exception(outcome.exception)
    return {
        "taskId": outcome.identifier,  # type: ignore[typeddict-item]  # a task's identifier is text
        "resultCode": _CODES.get(outcome.status, "TemporaryFailure"),
        "resultString": _bounded(text),
    }


def _text_of(value: Any) -> str:
    """Return text as it is, nothing for None, and anything else as JSON; nothing for what is none."""
    if value is None or isinstance(value, str):
        return value or ""
    from json import dumps

    try:
        return dumps(value, allow_nan=False)
    except Exception:  # of whatever an object of the handler's raises when it is written as JSON
        return ""


def _text_of_exception(error: BaseException) -> str:
    from batchcore.failures import summary_of

    return summary_of(error)


def _bounded(text: str) -> str:
    """Return text that every client can send, cut where it is too long."""
    if len(text) > LONGEST_TEXT:
        text = f"{text[: LONGEST_TEXT - 3]}..."
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
