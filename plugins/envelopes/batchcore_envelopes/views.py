# mypy: disable-error-code="no-any-return"
# Every property gives what the event holds, and an event is Any by nature.
"""Typed views of events that no source package has a view of: those of EventBridge and of CloudWatch Logs."""

from __future__ import annotations

from batchcore import RecordView

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class EventBridgeEvent(RecordView):
    """An event of EventBridge. https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html

    A field that the event lacks is None where AWS calls it optional, else a :class:`KeyError` that names it.
    """

    __slots__ = ()

    @property
    def version(self) -> str:
        """The version of the event's shape, ``0``."""
        return self.raw_event["version"]

    @property
    def id(self) -> str:
        """What EventBridge names the event by."""
        return self.raw_event["id"]

    @property
    def detail_type(self) -> str:
        """What happened, such as ``Object Created``: with the source it says what the detail is."""
        return self.raw_event["detail-type"]

    @property
    def source(self) -> str:
        """Who sent it, such as ``aws.s3``."""
        return self.raw_event["source"]

    @property
    def account(self) -> str:
        """The account it is of."""
        return self.raw_event["account"]

    @property
    def time(self) -> str:
        """When it happened, as whoever sent it says: such as ``2026-11-29T10:00:00Z``."""
        return self.raw_event["time"]

    @property
    def region(self) -> str:
        """The region it is of, such as ``eu-west-1``."""
        return self.raw_event["region"]

    @property
    def resources(self) -> list[str]:
        """The ARNs of what it is about; empty where it names none."""
        return self.raw_event.get("resources") or []

    @property
    def replay_name(self) -> str | None:
        """The name of the replay, where the event comes from an archive; else None."""
        return self.raw_event.get("replay-name")

    @property
    def detail(self) -> Any:
        """What it says, parsed as JSON: an object."""
        return self.raw_event["detail"]


class LogEvent(RecordView):
    """One log event."""

    __slots__ = ()

    @property
    def id(self) -> str:
        """What CloudWatch Logs names it by."""
        return self.raw_event["id"]

    @property
    def timestamp(self) -> int:
        """When it was logged, in milliseconds since the epoch."""
        return self.raw_event["timestamp"]

    @property
    def message(self) -> str:
        """What was logged."""
        return self.raw_event["message"]

    @property
    def extracted_fields(self) -> dict[str, str]:
        """What the filter's pattern took out of it; empty where it takes nothing out."""
        return self.raw_event.get("extractedFields") or {}


class CloudWatchLogsData(RecordView):
    """What a subscription of CloudWatch Logs writes.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
    """

    __slots__ = ()

    @property
    def message_type(self) -> str:
        """``DATA_MESSAGE``, or ``CONTROL_MESSAGE`` where CloudWatch Logs tries whether it can write."""
        return self.raw_event["messageType"]

    @property
    def owner(self) -> str:
        """The account of the log group."""
        return self.raw_event["owner"]

    @property
    def log_group(self) -> str:
        """The log group."""
        return self.raw_event["logGroup"]

    @property
    def log_stream(self) -> str:
        """The log stream."""
        return self.raw_event["logStream"]

    @property
    def subscription_filters(self) -> list[str]:
        """The names of the filters that let the events pass."""
        return self.raw_event["subscriptionFilters"]

    @property
    def policy_level(self) -> str | None:
        """Where the filter was set up: ``ACCOUNT_LEVEL_POLICY``, or None."""
        return self.raw_event.get("policyLevel")

    @property
    def log_events(self) -> list[LogEvent]:
        """The log events, in their order."""
        return [LogEvent(event) for event in self.raw_event["logEvents"]]
