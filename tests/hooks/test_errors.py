"""The errors: one tree, as its drawing says, and what each carries."""

from __future__ import annotations

import builtins
import pickle
import re

import pytest

import batchcore
from batchcore import dispositions, errors, results

LINE = re.compile(r"^(?P<branch>[│├└─ ]*)(?P<name>\w+)(?: \(also (?P<also>\w+)\))?")


def drawn() -> dict[str, tuple[str, ...]]:
    """Read the drawing: name of an error to names of its bases."""
    assert errors.__doc__ is not None
    path: list[str] = []
    tree: dict[str, tuple[str, ...]] = {}
    for line in errors.__doc__.split("::\n\n", 1)[1].splitlines():
        match = LINE.match(line)
        assert match is not None, line
        depth = len(match["branch"]) // 4
        path[depth:] = [match["name"]]
        parents = (path[depth - 1] if depth else "Exception", *filter(None, [match["also"]]))
        tree[match["name"]] = parents
    return tree


ERRORS_OF_PLUGINS = [name for name in drawn() if issubclass(getattr(batchcore, name), errors.PluginError)]


def test_the_tree_that_is_drawn_is_the_tree_that_is() -> None:
    real = {
        name: tuple(base.__name__ for base in value.__bases__)
        for module in (errors, dispositions, results)
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Exception) and value.__module__ == module.__name__
    }

    assert drawn() == real


def test_every_error_is_public() -> None:
    defined = {**vars(dispositions), **vars(results), **vars(errors)}
    assert [name for name in drawn() if getattr(batchcore, name, None) is not defined[name]] == []
    assert set(drawn()) <= set(batchcore.__all__)


@pytest.mark.parametrize(("name", "also"), [(n, also) for n, (_, *more) in drawn().items() for also in more])
def test_an_error_can_be_caught_as_what_it_also_is(name: str, also: str) -> None:
    assert issubclass(getattr(batchcore, name), getattr(builtins, also))


@pytest.mark.parametrize("name", ERRORS_OF_PLUGINS)
def test_an_error_of_a_plugin_carries_the_plugin_and_the_hook(name: str) -> None:
    plugin = object()

    error = getattr(errors, name)("what to do", plugin=plugin, hook="claims_event")

    assert str(error) == "what to do"
    assert error.plugin is plugin
    assert error.hook == "claims_event"


@pytest.mark.parametrize("name", ERRORS_OF_PLUGINS)
def test_an_error_of_a_plugin_may_know_neither(name: str) -> None:
    error = getattr(errors, name)("what to do")

    assert (error.plugin, error.hook) == (None, None)


def test_a_record_without_identity_is_named_by_its_position() -> None:
    assert errors.RecordIdentityError("has no id", position=7).position == 7
    assert errors.RecordIdentityError("has no id").position is None


def test_a_record_that_was_not_attempted_says_why() -> None:
    assert "earlier record of its lane failed" in str(errors.NotAttemptedError())
    assert str(errors.NotAttemptedError("the queue is closed")) == "the queue is closed"


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (("fail", "<class 'ValueError'>:no", {}), "<class 'ValueError'>:no"),
        (("fail",), "an entry of tuple"),
        (("fail", 7), "an entry of tuple"),
        (("done", "well"), "an entry of tuple"),
        (["fail", "a list"], "an entry of list"),
        (None, "an entry of NoneType"),
    ],
)
def test_an_entry_that_is_no_success_is_carried_by_its_error(entry: object, says: str) -> None:
    error = errors.EntryFailedError(entry)

    assert says in str(error)
    assert error.entry is entry


def test_a_failed_batch_carries_the_exceptions_and_the_result() -> None:
    child = (ValueError, ValueError("no"), None)

    error = results.BatchProcessingError("All failed.", [child])

    assert str(error) == error.msg == "All failed."
    assert error.child_exceptions == [child]
    assert error.result is None
    assert results.BatchProcessingError().child_exceptions == []


@pytest.mark.parametrize(
    "error",
    [
        errors.PluginError("m", plugin="kafka", hook="claims_event"),
        errors.RecordIdentityError("m", position=3),
        errors.EntryFailedError(("fail", "why", {})),
        errors.NotAttemptedError(),
        results.BatchProcessingError("m"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_survives_a_pickle(error: Exception) -> None:
    copied = pickle.loads(pickle.dumps(error))

    assert type(copied) is type(error)
    assert str(copied) == str(error)
    assert vars(copied) == vars(error)
