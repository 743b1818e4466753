"""Creation times: seconds in a DynamoDB stream, milliseconds or microseconds in a Kinesis stream that DynamoDB writes.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_EnableKinesisStreamingConfiguration.html
An event does not always say which, and need not: the numbers of a thousand years do not overlap.
"""

from __future__ import annotations

MILLISECONDS = 20_000_000_000
"""A number from here on is no seconds, which would be of the year 2603. pydantic draws the line here too."""


def units_per_second(time: float) -> int:
    """Return how many of the units of a time, a number of them since the epoch, make a second."""
    units = 1
    while time >= MILLISECONDS * units and units < 1_000_000_000:
        units *= 1_000
    return units
