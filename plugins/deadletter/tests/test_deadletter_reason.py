"""What the reason says, and what it does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Reason = Callable[[BaseException], str]


class NotNotified(Exception):
    """An exception without a text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("two\nlines"), "ValueError: two\nlines"),
        (KeyError("customer"), "KeyError: 'customer'"),
        (ValueError(), "ValueError"),
        (NotNotified(), "NotNotified: <str() of it raised RuntimeError>"),
        (ValueError("a\x00b\ud800c\uffffd"), "ValueError: a\ufffdb\ufffdc\ufffdd"),
    ],
)
def test_the_reason_is_class_and_text(reason: Reason, error: BaseException, expected: str) -> None:
    assert reason(error) == expected


def test_a_reason_of_a_thousand_characters_is_whole(reason: Reason) -> None:
    text = "x" * (1_000 - len("ValueError: "))
    assert reason(ValueError(text)) == f"ValueError: {text}"


def test_a_longer_reason_is_cut(reason: Reason) -> None:
    found = reason(ValueError("\U0001f4ec" * 1_000_000))
    assert len(found) == 1_000
    assert found.startswith("ValueError: \U0001f4ec")
    assert found.endswith("\U0001f4ec...")
