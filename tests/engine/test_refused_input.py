"""What is refused without quoting a record, and identifiers that no response could carry, whoever's source it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from batchcore import BatchProcessor, ConfigurationError, RecordIdentityError, hookimpl


class Numbers:
    """A source whose records are their own identifiers, and which looks at none of them."""

    name = "numbers"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return True

    @hookimpl
    def extract_records(self, event: Any) -> Sequence[Any]:
        records: list[Any] = event
        return records

    @hookimpl
    def identify_records(self, records: Sequence[Any]) -> Sequence[Any]:
        return records


def test_object_of_a_model_is_refused_without_its_data() -> None:
    order: Any = pytest.importorskip("pydantic").create_model("Order", body=(str, ...))(body="secret")

    with pytest.raises(ConfigurationError, match="not an object of Order") as caught:
        BatchProcessor("sqs", model=order)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("empty", ["", {}])
def test_empty_identifier_of_any_source_is_refused_before_the_first_record(empty: Any) -> None:
    handled: list[Any] = []
    with pytest.raises(RecordIdentityError, match="empty identifier for record 1") as caught:
        BatchProcessor(Numbers()).run(["a", empty, "c"], handled.append)
    assert caught.value.position == 1
    assert handled == []


def test_source_without_identity_gives_none() -> None:
    handled: list[Any] = []
    BatchProcessor(Numbers()).run([None, "b"], handled.append)
    assert handled == [None, "b"]
