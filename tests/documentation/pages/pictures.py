"""Draw what becomes of a batch: its records, the response, and what AWS delivers again, a picture for each case.

    python tests/documentation/pages/pictures.py

Nothing in a picture is claimed by hand: each batch is run, and the kit for tests says what its response brings again.
The pictures are kept in ``docs/images``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from batchcore import BatchProcessor, WholeBatchRetry, hookimpl, in_order
from batchcore_kafka import topic_partition
from batchcore_sqs import SqsFifoPartialProcessor, message_group
from batchcore_testing import make_event, redelivered

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "images"
RECORDS = 6
SILENT = logging.Logger("silent")  # noqa: LOG001 - in no hierarchy: what fails here is meant to
SILENT.addHandler(logging.NullHandler())


class Case(NamedTuple):
    """A batch, and what goes wrong with it.

    Attributes:
        source: the name of its source.
        fails: which records fail, counting from 1.
        ends: at which record the function is ended; 0 for none.
        reports: whether the event source mapping has ``ReportBatchItemFailures``.
        lane: what a lane is called, where the records are of several.
        key: what tells the lanes apart.
        resource: what the records were sent to.
        make: makes the processor, where the plain one is not meant.
        options: of the processor.
        past: what AWS has done with a record that does not come again.
    """

    source: str
    fails: Sequence[int] = ()
    ends: int = 0
    reports: bool = True
    lane: str = ""
    key: Callable[[Any], Any] | None = None
    resource: str = "orders"
    make: Callable[..., Any] = BatchProcessor
    options: Mapping[str, Any] = {}
    past: str = "deleted"


CASES = {
    "sqs": Case("sqs", [3]),
    "sqs-setting-missing": Case("sqs", [3], reports=False),
    "sqs-time-out": Case("sqs", ends=5),
    "fifo": Case("sqs", [3], resource="orders.fifo"),
    "fifo-groups": Case(
        "sqs",
        [3],
        lane="group",
        key=message_group,
        resource="orders.fifo",
        make=lambda source, **options: SqsFifoPartialProcessor(skip_group_on_error=True, **options),
    ),
    "stream": Case("kinesis", [3, 5], past="passed"),
    "stream-in-order": Case("kinesis", [3], options={"ordering": in_order()}, past="passed"),
    "kafka": Case("kafka", [2], lane="partition", key=topic_partition, past="passed"),
    "mq": Case("rabbitmq", [3]),
}


class EndedError(BaseException):
    """The function is ended: by its timeout, or for want of memory."""


class Watch:
    """Keeps the batch."""

    batch: Any = None

    @hookimpl
    def batch_started(self, batch: Any) -> None:
        """Keep it."""
        self.batch = batch


class Seen(NamedTuple):
    """What became of a batch.

    Attributes:
        statuses: of each record.
        lanes: of each record, as letters; empty where there are none.
        response: what the function returned, in words.
        again: of each record, whether AWS delivers it again.
    """

    statuses: Sequence[str]
    lanes: Sequence[str]
    response: str
    again: Sequence[bool]


def run(case: Case) -> Seen:
    """Run a batch, and ask what comes again of it."""
    contents = [{"order": number} for number in range(RECORDS)]
    event = make_event(case.source, *contents, lanes=2 if case.lane else 0, sent={"resource": case.resource})
    watch, begun = Watch(), list[int]()

    def handle(record: Any) -> None:
        number = next(n for n, raw in enumerate(watch.batch.records, 1) if raw is record.raw_event)
        begun.append(number)
        if number == case.ends:
            raise EndedError
        if number in case.fails:
            raise ValueError("it fails")

    processor = case.make(case.source, logger=SILENT, plugins=[watch], **case.options)
    answer: Any
    try:
        result = processor.run(event, handle)
        answer, outcomes = result.response, result.outcomes
    except WholeBatchRetry as error:
        answer, outcomes = error, error.result.outcomes
    except EndedError as error:
        answer, outcomes = RuntimeError(str(error)), None
    again = redelivered(event, answer, report_batch_item_failures=case.reports)
    records = watch.batch.records
    return Seen(
        statuses=[outcome.status for outcome in outcomes]
        if outcomes is not None
        else ["ended" if n == case.ends else "succeeded" if n in begun else "not_attempted" for n in range(1, 7)],
        lanes=letters([case.key(record) for record in records]) if case.key else [],
        response=in_words(answer, watch.batch.identifiers, case.ends),
        again=[any(record is other for other in again) for record in records],
    )


def letters(keys: Sequence[Any]) -> list[str]:
    """Return a letter for each key, the same for the same."""
    known = list(dict.fromkeys(keys))
    return ["abcdef"[known.index(key)] for key in keys]


def in_words(answer: Any, identifiers: Sequence[Any], ends: int) -> str:
    """Return what a function returned, in words."""
    if isinstance(answer, BaseException):
        return "response: none, the function was ended" if ends else "response: none, the function raises an error"
    named = [item["itemIdentifier"] for item in answer["batchItemFailures"]]
    numbers = [str(n) for n, identifier in enumerate(identifiers, 1) if identifier in named]
    return f"response: names {' and '.join((', '.join(numbers[:-1]), numbers[-1]) if numbers[:-1] else numbers)}"


# Drawing.

MARKS = {
    "succeeded": ("✓", "done"),
    "failed": ("✗", "failed"),
    "not_attempted": ("–", "none"),  # noqa: RUF001 - a dash is what is meant
    "ended": ("…", "failed"),
}
STYLE = """\
text { font-family: system-ui, -apple-system, "Segoe UI", sans-serif; font-size: 14px; fill: #333; }
.number, .mark { font-size: 17px; font-weight: 600; text-anchor: middle; }
.small { font-size: 12px; text-anchor: middle; } .lane { font-size: 11px; text-anchor: middle; }
rect { stroke-width: 1.5; }
.done { fill: #d9f2e3; stroke: #2e8b57; } .failed { fill: #fbdcd6; stroke: #c0392b; }
.none { fill: #eee; stroke: #999; } .again { fill: #fdeccb; stroke: #c77700; stroke-width: 2.5; }
.past { fill: none; stroke: #bbb; stroke-dasharray: 4 3; } .lost { fill: #c0392b; stroke: #c0392b; }
.lost-text { fill: #fff; }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd; } .done { fill: #1d4a31; } .failed { fill: #5a241d; } .none { fill: #333; }
  .again { fill: #5a3d0b; } .past { stroke: #666; }
}"""
WIDTH, GAP, HEIGHT = 60, 8, 52


def drawn(case: Case) -> str:
    """Draw a case."""
    seen = run(case)
    below = 16 if seen.lanes else 0
    first, second, third = 24, 24 + HEIGHT + below + 26, 24 + HEIGHT + below + 58
    parts = [text(6, 15, "the batch, and what became of it")]
    for number, status in enumerate(seen.statuses):
        mark, kind = MARKS[status]
        parts += [box(number, first, kind), text(middle(number), first + 33, f"{number + 1} {mark}", "mark")]
        if seen.lanes:
            parts.append(text(middle(number), first + HEIGHT + 14, f"{case.lane} {seen.lanes[number]}", "lane"))
    parts.append(text(6, second, f"{seen.response}{'' if case.reports else ', but nobody reads it'}"))
    parts.append(text(6, third, "then"))
    for number, again in enumerate(seen.again):
        lost = not again and seen.statuses[number] != "succeeded"
        kind, said = ("again", "again") if again else ("lost", "lost") if lost else ("past", case.past)
        parts.append(box(number, third + 8, kind))
        parts.append(text(middle(number), third + 30, str(number + 1), f"number{' lost-text' if lost else ''}"))
        parts.append(text(middle(number), third + 47, said, f"small{' lost-text' if lost else ''}"))
    height = third + 8 + HEIGHT + 6
    size = f'width="414" height="{height}" viewBox="0 0 414 {height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<style>\n{STYLE}\n</style>\n{chr(10).join(parts)}\n</svg>\n'
    )


def middle(number: int) -> int:
    """Return where the middle of a box is."""
    return 6 + number * (WIDTH + GAP) + WIDTH // 2


def box(number: int, top: int, kind: str) -> str:
    """Draw a box."""
    left = middle(number) - WIDTH // 2
    return f'<rect class="{kind}" x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'


def text(x: int, y: int, said: str, kind: str = "") -> str:
    """Write a text."""
    return f'<text{kind and f" class={chr(34)}{kind}{chr(34)}"} x="{x}" y="{y}">{said}</text>'


def main() -> None:
    """Draw all."""
    FOLDER.mkdir(exist_ok=True)
    for name, case in CASES.items():
        (FOLDER / f"{name}.svg").write_text(drawn(case), encoding="utf-8")


if __name__ == "__main__":
    main()
