"""How a mutant is made: by function and statement. And every mutant that is listed finds its place."""

from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from . import kit, listed, random_batches
from .mutant import KIT, PACKAGES, Mutant, NoMatchError, SeveralMatchError, apply, changed, place_of

SOURCE = '''
"""A file with umlauts: äöü."""

class Counter:
    def add(self, number):
        # A comment, which counts for nothing.
        if number < 0 and (
            number != -1
        ):
            raise ValueError("ä", number)
        elif number == 0:
            return None
        self.total = self.total + number
        self.total = self.total + number

        def again():
            return self.add(number)

        return again

def add(self, number):
    count()
    if number < 0:
        raise ValueError("ä", number)
    return f"{self.total} {number}"
'''


def after(name: str, old: str, new: str, nth: int = 0) -> str:
    """Return the function that is changed, as Python reads it, and check that nothing else is another."""
    names = name.split(".")
    text = changed(SOURCE, names, [(old, new, nth)])
    before, now = ast.parse(SOURCE).body, ast.parse(text).body
    differing = [one for one, other in zip(before, now, strict=True) if ast.dump(one) != ast.dump(other)]
    assert [getattr(one, "name", None) for one in differing] == names[:1]
    return text


@pytest.mark.parametrize("old", ['raise ValueError("ä", number)', "raise ValueError('ä',\n    number)"])
def test_a_statement_is_found_whatever_its_form_and_in_its_function_alone(old: str) -> None:
    text = after("Counter.add", old, "pass")
    assert text == SOURCE.replace('            raise ValueError("ä", number)', "            pass")


def test_an_expression_is_replaced_as_a_whole() -> None:
    text = after("Counter.add", "number < 0 and number != -1", "number or self")
    assert "if (number or self):\n            raise" in text
    assert "self.total = self.total + (a or b)\n" in after("Counter.add", "number", "a or b", nth=6)


def test_several_lines_are_indented_as_the_statement_that_they_replace() -> None:
    text = after("Counter.add", "return again", "if again:\n\n    return self\nreturn again")
    assert "        if again:\n\n            return self\n        return again\n" in text


def test_nothing_in_place_of_a_statement_is_pass() -> None:
    assert "        pass\n\ndef add" in after("Counter.add", "return again", "")
    assert "    pass\n    if number" in after("add", "count()", "")


def test_an_expression_that_is_a_statement_gives_way_to_statements() -> None:
    assert "def add(self, number):\n    a = 1\n    b = 2\n    if" in after("add", "count()", "a = 1\nb = 2")


def test_a_compound_statement_is_one() -> None:
    text = after("add", 'if number < 0:\n  raise ValueError("ä", number)', "number += 1")
    assert 'count()\n    number += 1\n    return f"' in text


def test_an_elif_gives_way_as_well() -> None:
    assert "        else:\n            a()\n            b()\n" in after(
        "Counter.add", "if number == 0:\n    return None", "a()\nb()"
    )


def test_of_twins_the_one_that_is_meant_is_changed() -> None:
    twin = "self.total = self.total + number"
    with pytest.raises(SeveralMatchError):
        after("Counter.add", twin, "")
    first, second = after("Counter.add", twin, "", nth=1), after("Counter.add", twin, "", nth=2)
    assert first.index("pass") < first.index(twin)
    assert second.index("pass") > second.index(twin)
    with pytest.raises(NoMatchError):
        after("Counter.add", twin, "", nth=3)


def test_a_function_inside_another_is_found() -> None:
    assert "return (number)" in after("Counter.add.again", "self.add(number)", "number")


@pytest.mark.parametrize(
    ("name", "old"),
    [("add", "return again"), ("Counter.sub", "return again"), ("again", "number"), ("add", "self.total")],
)
def test_what_is_not_there_is_no_match(name: str, old: str) -> None:
    with pytest.raises(NoMatchError):
        after(name, old, "")


def test_several_changes_are_made_together() -> None:
    text = changed(SOURCE, ["add"], [("count()", "", 0), ("number < 0", "False", 0)])
    assert "    pass\n    if (False):\n" in text


def test_a_mutant_changes_the_copy_in_a_folder(tmp_path: Path) -> None:
    function = dedent("""
        class Ledger:
            def undo(self, position):
                self.values[position] = NOT_PROCESSED
    """)
    (tmp_path / "batchcore").mkdir()
    file = tmp_path / "batchcore" / "ledger.py"
    file.write_text(function, encoding="utf-8")
    mutant = Mutant("", "ledger.Ledger.undo", "self.values[position]=NOT_PROCESSED", "", "", "")
    apply(mutant, tmp_path)
    assert file.read_text(encoding="utf-8") == function.replace("self.values[position] = NOT_PROCESSED", "pass")
    with pytest.raises(NoMatchError):
        apply(mutant, tmp_path)


@pytest.mark.parametrize(
    ("function", "file", "names"),
    [
        ("engine.read", "engine.py", ["read"]),
        ("_concurrency.lanes.Lane.__iter__", "_concurrency/lanes.py", ["Lane", "__iter__"]),
        ("_extensions.equip", "_extensions/__init__.py", ["equip"]),
        ("failures", "failures.py", []),
        (
            "batchcore_testing/simulator/queues.Queue.receive",
            "batchcore_testing/simulator/queues.py",
            ["Queue", "receive"],
        ),
    ],
)
def test_a_function_is_named_by_its_file_and_the_names_in_it(function: str, file: str, names: list[str]) -> None:
    assert place_of(function) == (file, names)


@pytest.mark.parametrize("mutant", [*listed.MUTANTS, *random_batches.MUTANTS, *kit.MUTANTS], ids=lambda m: m.breaks)
def test_every_mutant_finds_its_place_and_is_python(mutant: Mutant, tmp_path: Path) -> None:
    package = KIT if mutant.file.startswith(KIT) else "batchcore"
    below = mutant.file.removeprefix(f"{KIT}/")
    copy = tmp_path / package / below
    copy.parent.mkdir(parents=True)
    copy.write_bytes((PACKAGES[package] / below).read_bytes())
    before = ast.dump(ast.parse(copy.read_bytes()))
    apply(mutant, tmp_path)
    assert ast.dump(ast.parse(copy.read_bytes())) != before
    assert (Path(__file__).parents[1] / mutant.where).exists(), "there are the tests that it names"
