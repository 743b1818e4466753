"""How a test of a suite may be opted out of: by an override that is expected to fail, and says why."""

from __future__ import annotations

import inspect
from typing import Any

NO_PYDANTIC = "pydantic is not installed, so no model was tried."
"""The one reason for which a test of a suite is skipped: it is not the source's."""


def refuse_silent_opt_outs(contract: type[Any], suite: type[Any]) -> None:
    """Check that a class that derives from a suite overrides a test only to expect its failure, with a reason.

    Args:
        contract: the class.
        suite: the suite.

    Raises:
        TypeError: a test is overridden and not marked with ``xfail(reason=...)``, or a mark skips tests.
    """
    tests = {name for name in dir(suite) if name.startswith("test_")}
    for base in contract.__mro__[: contract.__mro__.index(suite)]:
        if _skips(base.__dict__.get("pytestmark", ())):
            raise TypeError(f"{base.__name__} skips tests of the contract. {_HOW}")
        if base.__dict__.get("__test__", True) is False:
            raise TypeError(f"{base.__name__} has __test__ = False, so no test of the contract runs. {_HOW}")
        for name in tests & base.__dict__.keys():
            if not _is_expected_to_fail(base.__dict__[name]):
                raise TypeError(f"{base.__name__} overrides {name}. {_HOW}")


def keep_parameters(contract: type[Any], suite: type[Any]) -> None:
    """Return an override the parameters of the test that it overrides, where it asks for them."""
    for name, override in vars(contract).items():
        original = getattr(suite, name, None) if name.startswith("test_") else None
        marks = [mark for mark in _marks(getattr(original, "pytestmark", ())) if mark.name == "parametrize"]
        own = [mark.name for mark in _marks(override)]
        asked = set(inspect.signature(override).parameters) if marks and "parametrize" not in own else set[str]()
        wanted = [mark for mark in marks if mark.args[0] in asked]
        if wanted:
            override.pytestmark = [*_marks(override), *wanted]


_HOW = (
    "A test of the contract is opted out of one at a time, and says why: "
    '@pytest.mark.xfail(reason="...") on an override that calls super().'
)


def _marks(value: Any) -> list[Any]:
    marks: Any = getattr(value, "pytestmark", value)
    listed: list[Any] = [*marks] if isinstance(marks, (list, tuple)) else [marks]
    return [mark for mark in listed if hasattr(mark, "name")]


def _is_expected_to_fail(test: Any) -> bool:
    if not callable(test) or _skips(getattr(test, "pytestmark", ())):
        return False
    marks = [mark for mark in _marks(test) if mark.name == "xfail" and not mark.args]
    reasons = [mark.kwargs.get("reason") for mark in marks if mark.kwargs.get("run", True)]
    return any(isinstance(reason, str) and reason.strip() for reason in reasons)


def _skips(marks: Any) -> bool:
    return any(mark.name in ("skip", "skipif") for mark in _marks(marks))
