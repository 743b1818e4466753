# mypy: disable-error-code="no-any-return"
# Every property gives what the event holds, and an event is Any by nature.
"""The typed view of a change that a DynamoDB table writes to a Kinesis stream. It needs ``batchcore-dynamodb``."""

from __future__ import annotations

from batchcore_dynamodb import DynamoDBRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime


class TableChange(DynamoDBRecord):
    """A change of a table, as the table writes it to a Kinesis stream.

    It has no sequence number, no view type and no ARN: those are None. A stream may have a change twice, and changes of
    one item out of order: :attr:`created_at` orders them.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/kds_gettingstarted.html
    """

    __slots__ = ()

    @property
    def table_name(self) -> str | None:
        """The name of the table, or None."""
        return self.raw_event.get("tableName")

    @property
    def record_format(self) -> str | None:
        """``application/json``, or None."""
        return self.raw_event.get("recordFormat")

    @property
    def created_at(self) -> datetime | None:
        """When the item changed, to the millisecond or microsecond that the table writes; or None.

        Raises:
            ValueError: the event has no number there.
        """
        time = self.dynamodb.raw_event.get("ApproximateCreationDateTime")
        if time is None:
            return None
        from datetime import datetime, timedelta, timezone

        if isinstance(time, bool) or not isinstance(time, (int, float)):
            raise ValueError(
                f"dynamodb.ApproximateCreationDateTime is not a number, but of type {type(time).__name__}."
            )
        units = 1
        while time >= _MILLISECONDS * units and units < 1_000_000:
            units *= 1_000
        seconds, rest = divmod(time, units)
        microseconds = int(rest * 1_000_000 // units) if units > 1 else int(time % 1 * 1_000_000)
        return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=int(seconds), microseconds=microseconds)


_MILLISECONDS = 20_000_000_000  # no number of seconds from here on, but for a time of the year 2603
