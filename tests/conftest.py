"""What the tests say at the end, besides their outcome."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say on which Pythons functions ran in AWS's runtime client.

    It stands here because the process that reports loads no deeper file when others run the tests.
    """
    reports = [report for kind in ("passed", "failed", "skipped") for report in terminalreporter.getreports(kind)]
    properties = [entry for report in reports for entry in getattr(report, "user_properties", ())]
    lines = {str(value) for name, value in properties if name == "lambda_runtime"}
    if lines:
        terminalreporter.section("AWS's runtime client")
        for line in sorted(lines):
            terminalreporter.line(line)
