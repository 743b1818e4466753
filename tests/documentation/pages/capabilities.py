"""Write the page *What each source can and cannot do*: ask every source of ours that is installed, and write it down.

    python tests/documentation/pages/capabilities.py

What can be asked is asked: each source gets events of its own, made by its event factory, with records that fail. What
only AWS's pages tell, its package tells: a dictionary ``LIMITS`` in its module ``limits``, from the name of a source to
four texts (see :data:`TOLD`), and a fifth under ``attempts`` where a source counts them of some messages alone. So a
package that is installed has its rows by itself, once this has been run. A source that is told how it is read, as
Kafka's is, has a row for each way in :data:`WAYS`.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from batchcore import (
    BatchProcessor,
    DeadLetterRecord,
    Ordering,
    RecordView,
    UnexpectedBatchTypeError,
    WholeBatchRetry,
    entry_points,
    hookimpl,
    in_order,
)
from batchcore_kafka import KafkaSource
from batchcore_testing import make_event, redelivered
from batchcore_testing.contract.broken import samples
from batchcore_testing.services import resolved_source

PAGE = Path(__file__).resolve().parents[3] / "docs" / "capabilities.md"
COMMAND = "python tests/documentation/pages/capabilities.py"
TOLD = ("setting", "batch", "gives up", "limits")
"""What the module ``limits`` of a package tells of a source: what makes AWS read the response; the records of a batch,
by default and at most; when AWS gives a record up, and what becomes of it then; the limits of time and size."""

RECORDS = 4
WINDOW = {"window": {"start": "2027-01-15T08:00:00Z", "end": "2027-01-15T08:02:00Z"}, "state": {}, "shardId": "s"}
SILENT = logging.Logger("silent")  # noqa: LOG001 - in no hierarchy: what fails here is meant to
SILENT.addHandler(logging.NullHandler())
UNKNOWN = "not told"


class Asked(NamedTuple):
    """A source, and how it is asked.

    Attributes:
        name: its name.
        source: what a processor is told: the name, or the source itself.
        factory: what makes its events: the name, or the event factory itself.
        package: the package of it, for the view of its records.
        told: what its package tells of it.
        way: what is said of it beside its name, where there are several ways to read it.
        consumption_mode: how a mapping of Kafka reads.
        written: how it is made, where its name alone does not do it.
    """

    name: str
    source: Any
    factory: Any
    package: str
    told: Mapping[str, str] = {}
    way: str = ""
    consumption_mode: Literal["stream", "queue"] = "stream"
    written: str = ""

    @property
    def label(self) -> str:
        """What its rows are called."""
        return f"`{self.name}`{self.way and f', {self.way}'}"


def ways_of(asked: Asked) -> list[Asked]:
    """Return a source, and the other ways in which it can be made so that it does something else."""
    if asked.name != "kafka":
        return [asked]
    queue = asked._replace(
        source=KafkaSource(mode="queue"),
        way="queue mode",
        consumption_mode="queue",
        written='`KafkaSource(mode="queue")`',
    )
    return [asked._replace(way="stream mode"), queue]


# What is asked.


class Delivered:
    """Delivers dead letters to nobody, and keeps their positions."""

    def __init__(self) -> None:
        self.positions: list[int] = []

    @hookimpl
    def deliver_dead_letter(self, outcome: Any) -> None:
        """Keep the position."""
        self.positions.append(outcome.position)


class Seen(NamedTuple):
    """What was seen of a batch: the response, or what was raised; the batch; the records handlers got; dead letters."""

    response: Any
    batch: Any
    got: list[Any]
    dead_letters: list[int]


class _Watch:
    batch: Any = None

    @hookimpl
    def batch_started(self, batch: Any) -> None:
        """Keep the batch."""
        self.batch = batch


def run(
    asked: Asked, event: Any, fails: Sequence[int] = (), gives_up: Sequence[int] = (), ordering: Ordering | None = None
) -> Seen:
    """Run a batch, of which some positions fail, and some are given up as dead letters."""
    watch, delivered, got = _Watch(), Delivered(), list[Any]()
    raw: dict[int, int] = {}

    def handle(record: Any) -> None:
        got.append(record)
        if not raw:
            raw.update({id(each): position for position, each in enumerate(watch.batch.records)})
        position = raw.get(id(record.raw_event if isinstance(record, RecordView) else record), len(got) - 1)
        if position in gives_up:
            raise DeadLetterRecord("given up")
        if position in fails:
            raise ValueError("it fails")

    processor = BatchProcessor(
        asked.source,
        raise_on_entire_batch_failure=False,
        logger=SILENT,
        plugins=[watch, delivered],
        ordering=ordering,
    )
    response: Any
    try:
        response = processor.run(event, handle).response
    except WholeBatchRetry as error:
        response = error
    return Seen(response, watch.batch, got, delivered.positions)


def event_of(asked: Asked, resource: str = "orders", attempt: int = 1) -> Any:
    """Make an event with records of two lanes."""
    contents = [{"order": number} for number in range(RECORDS)]
    return make_event(asked.factory, *contents, lanes=2, sent={"resource": resource, "attempt": attempt})


def found(asked: Asked) -> str:
    """Return how a processor comes by the source."""
    if asked.written:
        return asked.written
    try:
        source = BatchProcessor(logger=SILENT).run(event_of(asked), lambda record: None).batch.source
    except UnexpectedBatchTypeError:
        return "by name alone"
    return "by name or event" if source == asked.name else f"taken for {source}"


def named_by(asked: Asked) -> str:
    """Return what names a record in a response."""
    batch = run(asked, event_of(asked)).batch
    identifier, record = batch.identifiers[0], batch.records[0]
    if identifier is None:
        return "nothing"
    if isinstance(identifier, Mapping):
        return " and ".join(f"`{key}`" for key in identifier)
    return next((f"`{'.'.join(path)}`" for path, value in parts(record) if value == identifier), "its own name")


def parts(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield what a record holds, with the keys that lead to it."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from parts(inner, (*path, key))
    else:
        yield path, value


def partial_response(asked: Asked) -> str:
    """Return what a response has of records that failed."""
    response = run(asked, event_of(asked), [0]).response
    if isinstance(response, BaseException):
        return "no: an error fails the batch"
    if "batchItemFailures" in response:
        return "`batchItemFailures`"
    lists = [key for key, value in response.items() if isinstance(value, list) and len(value) == RECORDS]
    return f"a result for each record, in `{lists[0]}`" if lists else "of its own"


def again(asked: Asked, event: Any, fails: Sequence[int], gives_up: Sequence[int] = ()) -> set[int]:
    """Return the positions that AWS delivers again."""
    seen = run(asked, event, fails, gives_up)
    left = redelivered(event, seen.response, source=asked.source, consumption_mode=asked.consumption_mode)
    return {position for position, record in enumerate(seen.batch.records) if record in left}


def comes_again(asked: Asked, event: Any) -> str:
    """Return what AWS delivers again after a failure."""
    first, last = again(asked, event, [0]), again(asked, event, [RECORDS - 1])
    everything = set(range(RECORDS))
    if not first | last:
        raises = isinstance(run(asked, event, [0], ordering=in_order()).response, WholeBatchRetry)
        return f"nothing{', unless a record was not tried: the whole batch' if raises else ''}"
    if last == everything:
        return "the whole batch"
    if first == everything:
        return "all from the first failed record on"
    return "the failed record" if first == {0} else f"all from the first failed record of its {lane(asked, event)} on"


def lane(asked: Asked, event: Any) -> str:
    """Return what the records of one lane have in common, in words."""
    ordering: Ordering = resolved_source(asked.source).ordering_policy(run(asked, event).batch)
    return "batch" if ordering.key is None else name_in_words(ordering.key)


def order(asked: Asked, event: Any) -> str:
    """Return in which order records run, and what a failure does to it."""
    seen = run(asked, event)
    ordering: Ordering = resolved_source(asked.source).ordering_policy(seen.batch)
    if not ordering.grouped:
        return "any"
    lane = "" if ordering.key is None else f" for each {name_in_words(ordering.key)}"
    return f"in order{lane}, {'up to the first failure' if ordering.stops else 'past a failure'}"


def name_in_words(key: Callable[..., Any]) -> str:
    """Return the name of a function of a key as words."""
    name: str = getattr(key, "__name__", "key")
    return "key" if name == "<lambda>" else name.strip("_").replace("_", " ")


def dead_letters(asked: Asked, event: Any) -> str:
    """Return whether a record can be a dead letter, also beside one that fails, whichever that is."""
    last = RECORDS - 1
    if run(asked, event, gives_up=[last]).dead_letters != [last]:
        return "no"
    blocks = [at for at in range(last) if run(asked, event, [at], [last]).dead_letters != [last]]
    if len(blocks) == last:
        waits_for_all = run(asked, event, [last], [0]).dead_letters != [0]
        return "when nothing else fails" if waits_for_all else "when nothing before comes again"
    if blocks:
        return f"when nothing before in its {lane(asked, event)} comes again"
    untried = run(asked, event, [1], [0], ordering=in_order())
    return f"yes{', but again where a record was not tried' if isinstance(untried.response, WholeBatchRetry) else ''}"


def attempts(asked: Asked) -> str:
    """Return whether a source says how often a record was delivered, and from which delivery on."""
    counts = {number: attempt_of(asked, number) for number in (1, 2, 3)}
    if set(counts.values()) == {None}:
        return "not known"
    wrong = {number: count for number, count in counts.items() if count not in (number, None)}
    if wrong:
        return "; ".join(f"counted, as {count} of {number}" for number, count in wrong.items())
    first = min(number for number, count in counts.items() if count)
    said = f"counted{'' if first == 1 else f' from delivery {first} on'}"
    return f"{said}, {asked.told['attempts']}" if "attempts" in asked.told else said


def attempt_of(asked: Asked, attempt: int) -> int | None:
    """Return which delivery a source says it is, of a record in a certain one."""
    batch = run(asked, event_of(asked, attempt=attempt)).batch
    said: int | None = batch.delivery_attempt(batch.records[0])
    return said


def windows(asked: Asked) -> str:
    """Return whether a batch may belong to a tumbling window."""
    event = event_of(asked)
    if not isinstance(event, dict):
        return "no"
    try:
        response = run(asked, {**event, **WINDOW}).response
    except UnexpectedBatchTypeError:
        return "no"
    return "yes" if isinstance(response, dict) and "state" in response else "no"


def view(asked: Asked) -> str:
    """Return the classes of what a handler gets: of a source of two services, of each."""
    claims = resolved_source(asked.source).claims_event
    events = [event_of(asked), *(event for event in samples().values() if claims(event))]
    kinds = list(dict.fromkeys(type(record) for event in events for record in run(asked, event).got))
    return " or ".join(f"`{kind.__name__}`" if issubclass(kind, RecordView) else "the raw record" for kind in kinds)


def variants(asked: Asked, ask: Callable[[Asked, Any], str]) -> str:
    """Ask of a resource, and of one whose name ends in ``.fifo``, where that makes a difference."""
    plain, fifo = ask(asked, event_of(asked)), ask(asked, event_of(asked, "orders.fifo"))
    return plain if plain == fifo else f"{plain}; `.fifo`: {fifo}"


# How much code it is.


def lines_of(path: Path) -> int:
    """Count the lines of code of a file, without views, comments, docstrings and empty lines."""
    text = path.read_text(encoding="utf-8")
    tree, left_out = ast.parse(text), set[int]()
    for node in ast.walk(tree):
        is_text = (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        )
        if is_view(node) or is_text:
            left_out |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))  # type: ignore[attr-defined]
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and number not in left_out
        for number, line in enumerate(text.splitlines(), 1)
    )


def is_view(node: ast.AST) -> bool:
    """Whether a piece of a program is a view of records."""
    return isinstance(node, ast.ClassDef) and any("RecordView" in ast.unparse(base) for base in node.bases)


def file_of(source: object) -> Path:
    """Return the file of a source, which may be that of several."""
    return Path(inspect.getsourcefile(type(source)) or "")


def files_beside(path: Path) -> set[Path]:
    """Return the files of its package that a file needs, whenever it needs them, but for views and what those need."""
    needed, todo = set[Path](), [path]
    for each in todo:  # it grows meanwhile
        for name in imported_by(ast.parse(each.read_text(encoding="utf-8"))):
            package, _, module = name.partition(".")
            found = path.parent / f"{module}.py"
            if package != path.parent.name or not found.is_file() or found in {path, *needed}:
                continue
            if not any(map(is_view, ast.walk(ast.parse(found.read_text(encoding="utf-8"))))):
                needed.add(found)
                todo.append(found)
    return needed


def imported_by(node: ast.AST) -> Iterator[str]:
    """Yield what a program imports from, but for its views and for what type checkers alone import."""
    if is_view(node) or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
        return
    if isinstance(node, ast.ImportFrom) and node.module is not None:
        yield node.module
    for child in ast.iter_child_nodes(node):
        yield from imported_by(child)


def lines_in_words(source: object, all_sources: Sequence[object]) -> str:
    """Return how many lines a source has, of how many in its file, and how many there are in files that it needs."""
    path = file_of(source)
    same = len({id(other) for other in all_sources if file_of(other) == path})
    beside = sum(map(lines_of, files_beside(path)))
    said = f"{lines_of(path)}{f' of {same} sources' if same > 1 else ''}"
    return f"{said}, and {beside} beside" if beside else said


def template(asked: Asked) -> str:
    """Return the template that deploys a function of a source, or of another one of its package."""
    if asked.written:
        return "none"
    examples = PAGE.parents[1] / "examples"
    of_package = asked.package.partition("_")[2]
    places = [path for name in (asked.name, of_package) for path in (f"sam/{name}.yaml", f"{name}/template.yaml")]
    return next((f"[template](../examples/{place})" for place in places if (examples / place).is_file()), "none")


# The page.


def installed() -> list[Asked]:
    """Return every source that a package of ours registers, by name."""
    asked: list[Asked] = []
    for name, (entry, *_) in sorted(entry_points.registered("batchcore.sources").by_name.items()):
        distribution = entry_points.field_of(entry.dist, "name") or ""
        if distribution.startswith("batchcore-"):
            package = entry.value.partition(":")[0].partition(".")[0]
            asked += ways_of(Asked(name, name, name, package, told_by(package).get(name, {})))
    return asked


def told_by(package: str) -> Mapping[str, Mapping[str, str]]:
    """Return what a package tells of its sources; nothing, where it has no module ``limits``."""
    try:
        limits: Mapping[str, Mapping[str, str]] = importlib.import_module(f"{package}.limits").LIMITS
    except ModuleNotFoundError as error:
        if error.name != f"{package}.limits":
            raise
        return {}
    return limits


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table."""
    lines = [f"| {' | '.join(heads)} |", f"| {' | '.join('---' for _ in heads)} |"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def page(sources: Sequence[Asked]) -> str:
    """Write the page."""
    responses = [[each.label, partial_response(each), named_by(each), variants(each, comes_again)] for each in sources]
    records = [
        [each.label, variants(each, order), variants(each, dead_letters), attempts(each), windows(each)]
        for each in sources
    ]
    plugins = [resolved_source(each.source).plugin for each in sources]
    named = [plugin for each, plugin in zip(sources, plugins, strict=True) if not each.written]
    services = [
        [f"`{each.name}`", *(each.told.get(key, UNKNOWN) for key in TOLD)] for each in sources if not each.written
    ]
    packages = [
        [
            each.label,
            f"[`{each.package.replace('_', '-')}`](../plugins/{each.package.partition('_')[2]}/README.md)",
            found(each),
            view(each),
            template(each),
            lines_in_words(plugin, named),
        ]
        for each, plugin in zip(sources, plugins, strict=True)
    ]
    return TEXT.format(
        command=COMMAND,
        responses=table(["source", "partial response", "names a record by", "delivered again"], responses),
        records=table(["source", "order", "dead letters", "attempts", "tumbling windows"], records),
        services=table(["source", "the response is read", "records of a batch", "given up", "limits"], services),
        packages=table(["source", "package", "found", "a handler gets", "to deploy", "lines"], packages),
    )


TEXT = """\
# What each source can and cannot do

This page is written by a program that asks the sources: `{command}`. [A
test](../tests/documentation/pages/test_capabilities.py "test_the_page_is_current") keeps it current.

- [Responses](#responses)
- [Records](#records)
- [What AWS does](#what-aws-does)
- [Packages](#packages)

## Responses

What the response says of records that failed, and what AWS delivers again then. `.fifo` stands for a FIFO queue, which
is known by its name.

{responses}

## Records

{records}

- **Order** is the source's own; another is chosen with [`ordering=`](ordering.md). *Past a failure*: what follows runs
  all the same.
- **Dead letters** need a [plugin that delivers them](failures.md#dead-letters). *When nothing before comes again*: a
  checkpoint would bring it again otherwise, and a lane that has stopped does not come to it; of Kafka, that is the rest
  of a partition. *When nothing else fails*: the whole batch would come again, and it with that.
- **Attempts** are what `dead_letter_after=` counts. Where they are not known, it is refused. Of a message that does not
  tell its own, none is claimed, and it is given up by nothing but a [disposition](failures.md#dispositions).
- **Tumbling windows** have [a page](windows.md).

## What AWS does

Nobody can ask a source for this: it is what AWS's pages say, and each package tells it in its module `limits`.

{services}

## Packages

{packages}

A processor that was told no source finds it *by event*, [unless two claim it](errors.md#ambiguoussourceerror). The
template for pipes has one that reads Kinesis. *Lines* are those of code in the file of the source, without views and
models; *beside* are those of files that it needs, such as one that makes a response of its own. Lines of `batchcore`
for it: 0. The core has the names of some in `EventType`, and of all [where it says what to
install](../tests/documentation/pages/test_capabilities.py "test_the_core_names_sources_where_it_gives_advice_alone");
each is [written](sources.md) as yours would be.
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(installed()), encoding="utf-8")


if __name__ == "__main__":
    main()
