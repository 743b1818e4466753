"""What an observer was told."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Literal


class Options(NamedTuple):
    """What the spans of a batch depend on.

    Attributes:
        producers: how the span of a record is joined to that of its producer.
        most_links: links of the span of a batch, at most.
        carrier_of: raw record to headers, where the source has none, or others are to be read.
        exception_events: whether exceptions are events of spans.
    """

    producers: Literal["link", "parent"]
    most_links: int
    carrier_of: Callable[[Any], Mapping[str, str]] | None
    exception_events: bool
