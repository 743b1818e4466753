"""A response is read by AWS's table of success and failure conditions for SQS."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchcore_local import read_response

BATCH = ["a", "b", "c"]

DOCUMENTED_SUCCESS = {
    "an empty list of failures": {"batchItemFailures": []},
    "null instead of the list": {"batchItemFailures": None},
    "an empty object": {},
    "null": None,
    "another key at the top": {"failures": [{"itemIdentifier": "a"}]},
}

DOCUMENTED_FAILURE = {
    "an empty identifier": {"batchItemFailures": [{"itemIdentifier": ""}]},
    "a null identifier": {"batchItemFailures": [{"itemIdentifier": None}]},
    "another key inside the list": {"batchItemFailures": [{"foo": "a"}]},
    "an identifier that is not in the batch": {"batchItemFailures": [{"itemIdentifier": "d"}]},
    "a plain string": "done",
}

UNDOCUMENTED = {
    "a bare list": [],
    "an empty string": "",
    "a number": 0,
    "a boolean": True,
    "a string instead of the list": {"batchItemFailures": "a"},
    "an empty string instead of the list": {"batchItemFailures": ""},
    "false instead of the list": {"batchItemFailures": False},
    "an empty object instead of the list": {"batchItemFailures": {}},
    "an object instead of the list": {"batchItemFailures": {"itemIdentifier": "a"}},
    "bare identifiers in the list": {"batchItemFailures": ["a"]},
    "an identifier that is no string": {"batchItemFailures": [{"itemIdentifier": 1}]},
    "an identifier that is an object": {"batchItemFailures": [{"itemIdentifier": {"a": "a"}}]},
}


def read(response: Any) -> Any:
    return read_response(json.dumps(response), BATCH)


def named(rows: dict[str, Any]) -> Any:
    return pytest.mark.parametrize("response", list(rows.values()), ids=list(rows))


@named(DOCUMENTED_SUCCESS)
def test_these_responses_are_the_success_of_the_whole_batch(response: Any) -> None:
    assert read(response) == (frozenset(), None)


@named(DOCUMENTED_FAILURE)
def test_these_responses_are_the_failure_of_the_whole_batch(response: Any) -> None:
    assert read(response).failed == frozenset(BATCH)
    assert read(response).complaint


@named(UNDOCUMENTED)
def test_what_aws_does_not_document_loses_nothing(response: Any) -> None:
    assert read(response).failed == frozenset(BATCH)
    assert read(response).complaint


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff", "undefined", b'{"batchItemFailures": [], "spent": NaN}'])
def test_what_is_not_json_is_the_failure_of_the_whole_batch(payload: str | bytes) -> None:
    assert read_response(payload, BATCH).failed == frozenset(BATCH)


def test_listed_records_fail_and_the_others_do_not() -> None:
    assert read({"batchItemFailures": [{"itemIdentifier": "c"}, {"itemIdentifier": "a"}]}) == (frozenset("ac"), None)


def test_a_record_may_be_listed_twice_and_an_entry_may_say_more() -> None:
    entries = [{"itemIdentifier": "a"}, {"itemIdentifier": "a", "why": "no"}]
    assert read({"batchItemFailures": entries, "more": 1}) == (frozenset("a"), None)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_one_bad_entry_fails_the_whole_batch_wherever_it_stands(position: int) -> None:
    entries: list[Any] = [{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]
    entries.insert(position, {"itemIdentifier": ""})
    assert read({"batchItemFailures": entries}).failed == frozenset(BATCH)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from(BATCH),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["batchItemFailures", "itemIdentifier"]), inner)
    ),
    max_leaves=6,
)


@given(anything)
def test_no_response_names_a_record_outside_of_the_batch_and_a_complaint_means_all_of_it(response: Any) -> None:
    failed, complaint = read(response)
    assert failed <= frozenset(BATCH)
    assert complaint is None or failed == frozenset(BATCH)
