"""What to do where content is not in the envelope that was named. Loaded when a record is wrong."""

from __future__ import annotations

from batchcore.shapes import WrongShapeError, shape_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_RAW = (
    "Where the subscription has raw message delivery, there is no notification around the message: leave SNS out of "
    "open()."
)
_TARGET = (
    "Where the rule sends a part of the event, or text of its own, there is no event: leave EVENT_BRIDGE out of open()."
)
_OTHERWISE = {"SNS notification": _RAW, "EventBridge event": _TARGET}
_BEFORE = {
    "sns notification": "SNS",
    "eventbridge event": "EVENT_BRIDGE",
    "eventbridge s3 event": "EVENT_BRIDGE",
    "gzip": "GZIP",
    "zlib": "GZIP",
}
_SUBSCRIPTION = {
    "SubscriptionConfirmation": "Confirm the subscription, by its SubscribeURL or its Token: no message comes before.",
    "UnsubscribeConfirmation": "The queue has left the topic; by its SubscribeURL it subscribes again.",
}
_TEST = "Nothing happened in the bucket: open() with S3 as the last envelope drops it."


def wrong_shape(envelope: str, value: Any, field: str) -> WrongShapeError:
    """Return the error of content that is not in the envelope of this name."""
    about = value.get("Type") if envelope == "SNS notification" and isinstance(value, dict) else None
    if isinstance(about, str) and about in _SUBSCRIPTION:
        return WrongShapeError(
            f"{field} holds no {envelope}: it is what SNS sends about the subscription itself, {about}. "
            f"{_SUBSCRIPTION[about]}"
        )
    if _is_pointer(value):
        return WrongShapeError(
            f"{field} holds no {envelope}: it is a pointer to a payload in S3. Name S3Payloads before it; where the "
            "message lost its attribute on the way, with marked=False."
        )
    shape, words = shape_of(value)
    return WrongShapeError(f"{field} holds no {envelope}: it is {words}. {_advice(envelope, shape, value)}".rstrip())


def _is_pointer(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[1], dict) and "s3BucketName" in value[1]


def _advice(envelope: str, shape: str, value: Any) -> str:
    if shape == "s3 test event":
        return _TEST
    if shape in _BEFORE and envelope not in _OTHERWISE:
        return f"Name {_BEFORE[shape]} before it: open({_BEFORE[shape]}, ...)."
    if envelope.startswith("S3") and isinstance(value, dict) and {"bucket", "object"} <= value.keys():
        return "It is what S3 tells EventBridge: leave S3 out of open(), and read the detail."
    return _OTHERWISE.get(envelope, "")
