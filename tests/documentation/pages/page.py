"""Read a page of the documentation, and run what is on it.

What a page holds besides prose:

- Blocks of code. A page's ``python`` blocks run in their order, in one namespace.
- Comments that a reader does not see. ``<!-- check`` holds statements that run at its place, most of them assertions.
  There, ``sample(name)`` gives an event of ``tests/events`` and ``sqs(*bodies)`` an event of a queue; ``shown`` is the
  content of the last block that is no program, parsed where it is JSON; ``logged`` is what ``batchcore`` logged since
  the last check, and ``page`` the text of the page.
- Comments on the block that follows: ``<!-- raises NAME -->`` and ``<!-- warns NAME -->`` say what it must do;
  ``<!-- file NAME -->`` that it is not run but is a file, in a package that a test puts together.
- What the reader of a tutorial does: not run here, but by ``tests/documentation/tutorial``. Blocks of ``console`` are
  commands, and ``<!-- fails -->`` says that they end with an error. ``<!-- shows -->`` stands before what they print,
  ``<!-- write NAME -->`` before a file, and ``<!-- change NAME -->`` before a change of one, as a ``diff``.

``python tests/documentation/pages/page.py PAGE`` runs a page; it says where it fails.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import re
import sys
import traceback
import warnings
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[3]
EVENTS = ROOT / "tests" / "events"

_PART = re.compile(
    r"^(?P<fence>```+)(?P<language>\w*)\n(?P<code>.*?)^(?P=fence)$|^<!-- (?P<comment>.*?) ?-->$",
    re.MULTILINE | re.DOTALL,
)
_FILES = ("file", "write", "change")
_MARKS = ("raises", "warns", "fails", "shows", *_FILES)


class Part(NamedTuple):
    """A block of code, or a check.

    Attributes:
        language: what the fence says, or ``check``.
        text: the code.
        line: the line of the page on which the code begins, counting from 1.
        marks: what the comments before it say of it, by their first words.
    """

    language: str
    text: str
    line: int
    marks: dict[str, str]

    @property
    def runs(self) -> bool:
        """Whether it is run where it stands."""
        return self.language == "check" or (self.language == "python" and self.marks.keys().isdisjoint(_FILES))


def parts_of(text: str) -> list[Part]:
    """Give the blocks and checks of a page, in its order.

    Raises:
        ValueError: a comment says what no comment says.
    """
    parts: list[Part] = []
    marks: dict[str, str] = {}
    for match in _PART.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        comment = match["comment"]
        if comment is None:
            parts.append(Part(match["language"], match["code"], line + 1, marks))
            marks = {}
            continue
        word, _, rest = comment.partition("\n" if comment.startswith("check\n") else " ")
        if word == "check":
            parts.append(Part("check", rest, line + 1, {}))
        elif word in _MARKS:
            marks[word] = rest
        else:
            raise ValueError(f"line {line}: a comment begins with check, {', '.join(_MARKS)}; not with {word!r}")
    return parts


class PageError(Exception):
    """A page does not do what it says."""


class _Logged(logging.Handler):
    """Keeps what batchcore logs, as text without tracebacks."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.name}: {record.getMessage()}")


def run(page: str, text: str) -> int:
    """Run a page.

    Args:
        page: its name, for tracebacks.
        text: its text.

    Returns:
        How many blocks of Python it has that ran.

    Raises:
        PageError: one of them does not do what the page says. The cause is chained.
    """
    # A module of its own: pydantic looks up annotations in it, and pickle names. With a spec, as every module has.
    spec = importlib.util.spec_from_loader("page", SourceFileLoader("page", page))
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["page"] = module
    namespace = vars(module)
    logged = _Logged()
    logging.getLogger("batchcore").addHandler(logged)
    namespace.update(page=text, sample=sample, sqs=sqs, logged=logged.lines)
    ran = 0
    for part in parts_of(text):
        if not part.runs:
            namespace["shown"] = json.loads(part.text) if part.language == "json" else part.text
            continue
        _run_part(page, part, namespace)
        if part.language == "check":
            logged.lines.clear()
        else:
            ran += 1
    return ran


def _run_part(page: str, part: Part, namespace: dict[str, Any]) -> None:
    where = f"{page}, line {part.line}"
    seen: BaseException | None = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            # Empty lines before it make the numbers in a traceback those of the page.
            exec(compile("\n" * (part.line - 1) + part.text, page, "exec", dont_inherit=True), namespace)
        except Exception as error:
            seen = error
    _compare(where, "raises", part.marks.get("raises"), [] if seen is None else [type(seen).__name__], seen)
    _compare(where, "warns", part.marks.get("warns"), [warning.category.__name__ for warning in caught], caught)
    namespace["error"] = seen


def _compare(where: str, what: str, expected: str | None, found: list[str], evidence: Any) -> None:
    if set(found) != ({expected} if expected else set()):
        cause = evidence if isinstance(evidence, BaseException) else None
        messages = "" if cause or not evidence else f": {[str(warning.message) for warning in evidence]}"
        raise PageError(f"{where}: {what} {found or 'nothing'}, expected {expected or 'nothing'}{messages}") from cause


def sample(name: str) -> Any:
    """Read a sample event."""
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def sqs(*bodies: str, queue: str = "orders", groups: str = "") -> dict[str, Any]:
    """Make an event of a queue: a message per body, named ``m1``, ``m2`` and so on, of the groups that have letters."""
    (template, *_) = sample("getting_started_sqs_event")["Records"]
    template["eventSourceARN"] = f"arn:aws:sqs:eu-west-1:123456789012:{queue}"
    records = [{**template, "messageId": f"m{number}", "body": body} for number, body in enumerate(bodies, 1)]
    for record, group in zip(records, groups, strict=False):
        record["attributes"] = {**record["attributes"], "MessageGroupId": group}
    return {"Records": records}


if __name__ == "__main__":
    path = Path(sys.argv[1])
    try:
        print(run(str(path), path.read_text(encoding="utf-8")))
    except PageError:
        traceback.print_exc()
        sys.exit(1)
