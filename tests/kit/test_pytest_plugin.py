"""The pytest plugin: what a user's tests find, and what they are told when one fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# What a test imports, pytester forgets again. Of these two a process remembers something nevertheless.
import importlib_metadata  # noqa: F401 - it has put itself in the place of Python's own
import pytest

import batchcore_sqs  # noqa: F401 - it has offered its source

pytest_plugins = ["pytester"]

ARGUMENTS = ("-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov")


def run(pytester: pytest.Pytester, test: str, *arguments: str) -> pytest.RunResult:
    pytester.makepyfile(test)
    return pytester.runpytest_inprocess(*ARGUMENTS, *arguments)


def test_it_is_found_where_the_kit_is_installed(tmp_path: Path) -> None:
    """In a process of its own, by the entry point alone; and it imports nothing that nobody asked for."""
    (tmp_path / "test_app.py").write_text(
        "import sys\n"
        "def test_event(make_event):\n"
        "    assert len(make_event('sqs', 'a')['Records']) == 1\n"
        "def test_without():\n"
        "    assert 'batchcore_testing.contract' not in sys.modules\n"
        "    assert 'pydantic' not in sys.modules\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", str(tmp_path)]

    result = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)

    assert "2 passed" in result.stdout, result.stdout + result.stderr


def test_the_context_tells_a_time_that_the_test_lets_pass(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        def test_time(lambda_context):
            assert lambda_context.get_remaining_time_in_millis() == 30_000
            lambda_context.advance(12.5)
            assert lambda_context.get_remaining_time_in_millis() == 17_500
            lambda_context.advance(60)
            assert lambda_context.get_remaining_time_in_millis() == 0
            assert lambda_context.aws_request_id and lambda_context.invoked_function_arn.startswith("arn:aws:lambda")
        """,
    )

    result.assert_outcomes(passed=1)


SIMULATED = """
    from batchcore import BatchProcessor

    def handler(record):
        if record.body == "bad":
            raise ValueError

    def test_orders(simulator):
        queue = simulator.queue(max_receive_count=3)
        queue.send("good", "bad")
        mapping = simulator.mapping(queue, processor=BatchProcessor("sqs"), record_handler=handler)
        history = mapping.drain()
        assert [item.content for item in history.dead_letters] == ["bad"]
        history.check()
        {more}
"""


def test_the_simulator_is_a_fixture(pytester: pytest.Pytester) -> None:
    run(pytester, SIMULATED.format(more="")).assert_outcomes(passed=1)


def test_a_test_that_failed_tells_the_seed_and_what_was_simulated(pytester: pytest.Pytester) -> None:
    result = run(pytester, SIMULATED.format(more="assert not history.dead_letters"), "--batchcore-seed=17")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*batchcore simulator*",
            "seed 17: the same history comes with --batchcore-seed=17",
            "<History of 2 records and 3 invocations: 1 done, 0 lost, 1 dead letters, 0 left>",
        ]
    )


def test_two_responses_differ_by_the_records_that_they_name(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        def response(*names):
            return {"batchItemFailures": [{"itemIdentifier": name} for name in names]}

        def test_strings():
            assert response("m1", "m2") == response("m2", "m3")

        def test_objects():
            assert response({"partition": "t-0", "offset": 3}) == response()

        def test_order():
            assert response("m1", "m2") == response("m2", "m1")

        def test_something_else():
            assert {**response("m1"), "state": 1} == {**response("m1"), "state": 2}
        """,
    )

    result.assert_outcomes(failed=4)
    result.stdout.fnmatch_lines(
        [
            "*the responses differ",
            "*named as failed on the left only: m1",
            "*named as failed on the right only: m3",
            "*in both: m2",
            '*named as failed on the left only: {"offset": 3, "partition": "t-0"}',
            "*in both: none",
            "*in their order or number: m1, m2 and m2, m1",
            "*'state': 1*",
        ]
    )


def test_lists_of_records_differ_by_their_names(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        from batchcore_testing import redelivered

        def test_redelivered(make_event):
            event = make_event("kinesis", "a", "b", "c")
            first, second, third = event["Records"]
            response = {"batchItemFailures": [{"itemIdentifier": second["kinesis"]["sequenceNumber"]}]}
            assert redelivered(event, response) == [second]
        """,
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the records differ", "*there on the left only: 4959*930", "*in both: 4959*914"])


CONTRACT = """
    import pytest
    from batchcore_testing import SourceContract, make_event
    from batchcore_sqs import SQS

    class TestSQS(SourceContract):
        @pytest.fixture
        def source(self):
            {skip}
            return SQS

        @pytest.fixture
        def event_of(self):
            return lambda n: make_event("sqs", *[{{"order": number}} for number in range(n)])
"""


def test_a_source_that_keeps_the_contract_passes(pytester: pytest.Pytester) -> None:
    pytest.importorskip("pydantic")
    outcomes = run(pytester, CONTRACT.format(skip="")).parseoutcomes()

    assert outcomes.keys() == {"passed"}
    assert outcomes["passed"] > 100


def test_no_test_of_a_contract_is_skipped_while_it_runs(pytester: pytest.Pytester) -> None:
    result = run(pytester, CONTRACT.format(skip="pytest.skip('not today')"), "-k", "it_claims")

    assert result.parseoutcomes().keys() == {"errors", "deselected"}
    result.stdout.fnmatch_lines(["*test_it_claims_its_events was skipped. A test of a source's contract is opted out*"])


def test_without_pydantic_a_contract_skips_its_test_of_models_and_says_so(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pydantic", None)

    result = run(pytester, CONTRACT.format(skip=""), "-rs", "-k", "it_works_with")

    assert result.parseoutcomes().keys() == {"passed", "skipped", "deselected"}
    result.stdout.fnmatch_lines(["SKIPPED*pydantic is not installed, so no model was tried."])


def test_another_test_may_be_skipped(pytester: pytest.Pytester) -> None:
    result = run(pytester, "import pytest\ndef test_skipped(make_event):\n    pytest.skip('not today')")

    result.assert_outcomes(skipped=1)


def test_a_contract_without_its_fixtures_says_so(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        from batchcore_testing import SourceContract

        class TestNothing(SourceContract):
            pass
        """,
        "-k",
        "it_claims",
    )

    assert "errors" in result.parseoutcomes()
    result.stdout.fnmatch_lines(["*NotImplementedError: A contract has a fixture named *"])
