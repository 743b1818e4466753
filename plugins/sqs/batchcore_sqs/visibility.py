"""Calls to SQS that change visibility timeouts: which client, which queue, ten messages at a time, what is tried again.

boto3 is imported when a client is made, and no sooner.
"""

from __future__ import annotations

import time
from threading import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeAlias

    Entry: TypeAlias = dict[str, Any]

_PER_CALL = 10  # a limit of SQS
_TRIES = 3  # for entries that were refused by a call that succeeded
_PAUSE = 0.1  # seconds before the second try, twice that before the third
_FAILED_CALLS = 3  # in a row, after which no more is tried: there is no permission, or no network

_clients: dict[str | None, Any] = {}
_making = Lock()


def client_for(region: str | None) -> Any:
    """Return the process's client of SQS for a region, made at the first use; for boto3's own region when None."""
    with _making:  # a session is not safe to share, and two clients would cost twice
        if region not in _clients:
            import boto3.session  # type: ignore[import-untyped, unused-ignore]  # boto3 ships no types
            from botocore.config import Config  # type: ignore[import-untyped, unused-ignore]  # nor does botocore

            session: Any = boto3.session.Session()
            _clients[region] = session.client(
                "sqs",
                region_name=region,
                config=Config(
                    connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": _TRIES}
                ),
            )
        return _clients[region]


def parts_of_arn(arn: object) -> tuple[str, str, str] | None:
    """Return region, account and name of the queue that an ARN names, or None where it names none."""
    parts = arn.split(":") if isinstance(arn, str) else []
    if len(parts) != 6 or parts[2] != "sqs" or not all(parts[3:]):
        return None
    return parts[3], parts[4], parts[5]


class Unchanged:
    """What was not changed.

    Attributes:
        reasons: the ``Id`` of each entry, and why it was not changed.
        cause: the first exception that a call raised, or None.
    """

    __slots__ = ("cause", "reasons")

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}
        self.cause: Exception | None = None

    def add(self, entries: Sequence[Entry], reason: str) -> None:
        """Note why these were not changed."""
        for entry in entries:
            self.reasons[entry["Id"]] = reason


def change_visibility(
    client: Any, queue_url: str, entries: Sequence[Entry], time_is_up: Callable[[], bool]
) -> Unchanged:
    """Change visibility timeouts, ten at a time. What fails keeps nothing else from being tried.

    Args:
        client: a boto3 client of SQS.
        queue_url: the queue.
        entries: what ``change_message_visibility_batch`` takes, any number of them.
        time_is_up: asked before each call; when it says so, no more is tried.

    Returns:
        What was not changed. It raises nothing that a call raised.
    """
    unchanged = Unchanged()
    unchanged.add([entry for entry in entries if not _has_handle(entry)], "the record has no receiptHandle")
    entries = [entry for entry in entries if _has_handle(entry)]
    failed_calls = 0
    for start in range(0, len(entries), _PER_CALL):
        if failed_calls == _FAILED_CALLS:
            unchanged.add(entries[start:], f"not tried after {_FAILED_CALLS} calls that failed")
            break
        if time_is_up():
            unchanged.add(entries[start:], "not tried, the time of the invocation was over")
            break
        chunk = entries[start : start + _PER_CALL]
        failed_calls = 0 if _change(client, queue_url, chunk, unchanged) else failed_calls + 1
    return unchanged


def _change(client: Any, queue_url: str, entries: Sequence[Entry], unchanged: Unchanged) -> bool:
    """Change up to ten, and try those again that may go through next time. False when a call failed as a whole."""
    for number in range(1, _TRIES + 1):
        try:
            response = client.change_message_visibility_batch(QueueUrl=queue_url, Entries=list(entries))
        except Exception as error:
            unchanged.add(entries, _reason(error))
            unchanged.cause = unchanged.cause or error
            return False
        refusals: dict[str, Mapping[str, Any]] = {refusal["Id"]: refusal for refusal in response.get("Failed", ())}
        again: list[Entry] = []
        for entry in entries:
            refusal = refusals.get(entry["Id"])
            if refusal is None:
                continue
            if number < _TRIES and _may_pass(refusal):
                again.append(entry)
            else:
                unchanged.add([entry], f"{refusal.get('Code')}: {refusal.get('Message', '')}".rstrip(": "))
        if not again:
            break
        entries = again
        time.sleep(_PAUSE * number)
    return True


def _has_handle(entry: Entry) -> bool:
    return isinstance(entry["ReceiptHandle"], str) and entry["ReceiptHandle"] != ""


def _may_pass(refusal: Mapping[str, Any]) -> bool:
    """Whether the same may be accepted later. SQS calls being throttled the sender's fault."""
    return not refusal.get("SenderFault") or "Throttl" in str(refusal.get("Code"))


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
