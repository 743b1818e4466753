"""What to read of a body that is not what a nested view reads."""

from __future__ import annotations

from batchcore.shapes import WrongShapeError, shape_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_RAW = "Where the subscription has raw message delivery, the body is the message itself: read record.json_body."
_TEST_EVENT = 'Nothing happened in the bucket: return where the event has "Event": "s3:TestEvent".'
_INSTEAD_OF_SNS = {
    "event of aws:s3": "The bucket notifies the queue itself: read record.decoded_nested_s3_event.",
    "event of aws:sns": 'That is how SNS calls a function: SNSMessage(event["Records"][0]["Sns"]).',
    "sns record": 'The notification is inside: SNSMessage(record["Sns"]).',
    "s3 test event": _TEST_EVENT,
    "eventbridge event": 'Read record.json_body["detail"].',
    "eventbridge s3 event": 'Read record.json_body["detail"].',
}
_INSTEAD_OF_S3 = {
    "s3 test event": _TEST_EVENT,
    "sns notification": (
        "The bucket notifies a topic: S3Event(json.loads(record.decoded_nested_sns_event.message)), with S3Event from "
        "batchcore_sqs.nested."
    ),
    "eventbridge s3 event": (
        'The bucket notifies EventBridge: read record.json_body["detail"], where keys are not encoded as in a URL.'
    ),
    "record of aws:s3": "It is one record of such an event: S3EventRecord(record.json_body).",
}
_AS_IT_IS = "Read record.json_body."
_VIEWS: Mapping[str, tuple[str, Mapping[str, str], str]] = {
    "sns": ("an SNS notification", _INSTEAD_OF_SNS, _RAW),
    "s3": ("an S3 event notification", _INSTEAD_OF_S3, _AS_IT_IS),
    "s3 record": ("a record of S3", _INSTEAD_OF_S3, _AS_IT_IS),
}


def wrong(view: str, raw_event: object) -> WrongShapeError:
    """Make the error of a body that a view does not read.

    Args:
        view: ``sns``, ``s3`` or ``s3 record``.
        raw_event: what the body holds.
    """
    wanted, instead, otherwise = _VIEWS[view]
    name, words = shape_of(raw_event)
    return WrongShapeError(f"This is not {wanted}: it is {words}. {instead.get(name, otherwise)}")
