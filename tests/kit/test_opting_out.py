"""A test of the contract is opted out of by an override that is expected to fail, and says why; in no other way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from batchcore_testing import SourceContract

PLUGINS = Path(__file__).parents[2] / "plugins"

xfail = pytest.mark.xfail


def contract(**members: Any) -> type[Any]:
    return type("TestMine", (SourceContract,), members)


def an_override(self: Any) -> None:
    """Does nothing."""


def marked(*marks: pytest.MarkDecorator) -> Any:
    def override(self: Any) -> None:
        """Does nothing."""

    for mark in marks:
        mark(override)
    return override


def test_an_override_that_is_expected_to_fail_and_says_why_is_accepted() -> None:
    contract(test_identifiers_are_unique=marked(xfail(reason="the broker has no identifiers")))


@pytest.mark.parametrize(
    "override",
    [
        an_override,
        None,
        property(an_override),
        marked(xfail),
        marked(xfail(reason="")),
        marked(xfail(reason=" ")),
        marked(pytest.mark.skip(reason="later")),
        marked(xfail(reason="both"), pytest.mark.skip),
        marked(pytest.mark.skipif("True", reason="later")),
        marked(xfail("sys.platform", reason="sometimes")),
        marked(xfail(reason="never run", run=False)),
    ],
    ids=["bare", "None", "property", "no reason", "empty", "blank", "skip", "both", "skipif", "condition", "no run"],
)
def test_any_other_override_is_refused(override: Any) -> None:
    with pytest.raises(TypeError, match="TestMine overrides test_identifiers_are_unique"):
        contract(test_identifiers_are_unique=override)


@pytest.mark.parametrize("marks", [pytest.mark.skip, [pytest.mark.skipif("True", reason="later")]], ids=["one", "list"])
def test_a_whole_contract_is_not_skipped(marks: Any) -> None:
    with pytest.raises(TypeError, match="skips tests of the contract"):
        contract(pytestmark=marks)


def test_a_whole_contract_is_not_switched_off() -> None:
    with pytest.raises(TypeError, match="__test__"):
        contract(__test__=False)


def test_a_class_in_between_is_looked_at_too() -> None:
    between = contract(test_identifiers_are_unique=marked(xfail(reason="why")))
    between.test_identifiers_are_unique = an_override

    with pytest.raises(TypeError, match="overrides test_identifiers_are_unique"):
        type("TestOther", (between,), {})


def test_what_is_changed_after_the_class_was_made_is_found_when_it_runs() -> None:
    late = contract()
    late.test_identifiers_are_unique = an_override

    with pytest.raises(TypeError, match="overrides test_identifiers_are_unique"):
        late().test_no_test_is_opted_out_of_silently()


def test_an_override_has_the_parameters_of_what_it_overrides() -> None:
    def override(self: Any, probe: Any, driver: Any) -> None:
        """Is run with each driver."""

    made = contract(test_it_works_with_every_processor=xfail(reason="why")(override))

    (mark,) = [mark for mark in made.test_it_works_with_every_processor.pytestmark if mark.name == "parametrize"]
    assert mark.args[0] == "driver"
    contract(test_it_works_with_every_processor=marked(xfail(reason="one for all")))


def test_other_tests_and_fixtures_are_added_freely() -> None:
    contract(test_something_else=an_override, event_of=an_override)


def test_the_sources_of_this_project_opt_out_of_nothing() -> None:
    contracts = sorted(PLUGINS.glob("*/tests/test_*_contract.py"))

    assert [path.name for path in contracts] == [
        "test_dynamodb_contract.py",
        "test_firehose_contract.py",
        "test_kafka_contract.py",
        "test_kinesis_contract.py",
        "test_mq_contract.py",
        "test_pipes_contract.py",
        "test_s3batch_contract.py",
        "test_sqs_contract.py",
    ]
    assert [path.name for path in contracts if "mark" in path.read_text(encoding="utf-8")] == []
