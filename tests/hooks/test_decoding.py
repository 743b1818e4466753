"""What sources decode with: JSON, text and base64, whose errors say what is wrong and carry nothing of the body."""

from __future__ import annotations

import base64
import binascii
import copy
import gzip
import json
import pickle
import sys
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchcore.binary import decode_base64
from batchcore.records import decode_json, decode_text

SECRET = "hunter2"


def undecoded(decode: Callable[[Any, str], Any], given_: Any) -> Exception:
    """Return the error of what cannot be decoded."""
    with pytest.raises((ValueError, TypeError)) as caught:
        decode(given_, "body")
    return caught.value


CASES: dict[str, tuple[Callable[[Any, str], Any], Any, type[Exception]]] = {
    "no JSON": (decode_json, SECRET, json.JSONDecodeError),
    "JSON that ends too early": (decode_json, f'{{"{SECRET}":\n  [1,\n', json.JSONDecodeError),
    "JSON with something behind": (decode_json, f'"{SECRET}"\n {SECRET}', json.JSONDecodeError),
    "nothing": (decode_json, "", json.JSONDecodeError),
    "a byte order mark alone": (decode_json, "\ufeff", json.JSONDecodeError),
    "JSON nested too deeply": (decode_json, "[" * 200_000 + SECRET, json.JSONDecodeError),
    "JSON with a number of too many digits": (decode_json, f'{{"{SECRET}": {"1" * 5_000}}}', json.JSONDecodeError),
    "base64 for JSON": (decode_json, base64.b64encode(f'{{"a": "{SECRET}"}}'.encode()).decode(), json.JSONDecodeError),
    "no string": (decode_json, {"a": SECRET}, TypeError),
    "bytes": (decode_json, SECRET.encode(), TypeError),
    "no text": (decode_text, f"{SECRET} \xff".encode("latin-1"), UnicodeDecodeError),
    "compressed text": (decode_text, gzip.compress(SECRET.encode()), UnicodeDecodeError),
    "UTF-16": (decode_text, SECRET.encode("utf-16"), UnicodeDecodeError),
    "no base64": (decode_base64, f"{SECRET}!", binascii.Error),
    "base64 that is cut off": (decode_base64, SECRET[:5], binascii.Error),
    "letters beyond ASCII for base64": (decode_base64, f"{SECRET}ü", binascii.Error),
    "no text for base64": (decode_base64, [SECRET], binascii.Error),
}


@pytest.fixture(params=CASES)
def error(request: pytest.FixtureRequest) -> Exception:
    """Return each error of decoding in turn."""
    decode, given_, kind = CASES[request.param]
    if sys.version_info < (3, 10, 7) and "digits" in request.param:
        pytest.skip("this Python reads numbers of any length")
    error = undecoded(decode, given_)
    assert isinstance(error, kind)
    assert repr(type(error)) == repr(kind), "logs and entries name an error by this"
    return error


def test_the_text_of_an_error_is_a_sentence_that_names_the_field(error: Exception) -> None:
    assert str(error).startswith("body is ")
    assert "--" not in str(error)
    assert "codec" not in str(error)


def test_an_error_carries_nothing_of_the_body(error: Exception) -> None:
    printed = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    everything = [str(error), repr(error), repr(error.args), repr(vars(error)), printed]
    everything += [repr(getattr(error, name, "")) for name in ("doc", "object", "msg", "reason")]
    assert not [each for each in everything if SECRET in each]
    assert SECRET.encode() not in pickle.dumps(error)
    assert error.__context__ is None
    assert error.__cause__ is None


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_survives_a_pickle(error: Exception, protocol: int) -> None:
    assert_same(pickle.loads(pickle.dumps(error, protocol)), error)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_an_error_survives_a_copy(error: Exception, duplicate: Callable[[Exception], Exception]) -> None:
    assert_same(duplicate(error), error)


def assert_same(copied: Exception, error: Exception) -> None:
    assert type(copied) is type(error)
    assert (str(copied), repr(copied), copied.args) == (str(error), repr(error), error.args)
    assert vars(copied) == vars(error)
    for name in ("msg", "doc", "pos", "lineno", "colno", "encoding", "object", "start", "end", "reason"):
        assert getattr(copied, name, None) == getattr(error, name, None), name


def test_an_error_of_json_says_where_it_is() -> None:
    error = undecoded(decode_json, '{"a":\n  [1,\n   x]}')
    assert isinstance(error, json.JSONDecodeError)
    assert str(error) == "body is not JSON: Expecting value: line 3 column 4 (char 15)"
    assert (error.lineno, error.colno, error.pos, error.doc) == (3, 4, 15, "")


def test_an_error_of_text_says_where_it_is() -> None:
    error = undecoded(decode_text, b"abc\xff")
    assert isinstance(error, UnicodeDecodeError)
    assert str(error) == "body is not UTF-8: invalid start byte at position 3"
    assert (error.start, error.end, error.object, error.encoding) == (3, 4, b"", "utf-8")


@pytest.mark.parametrize(
    ("decode", "given_", "says"),
    [
        (decode_json, base64.b64encode(b'{"a": 1}').decode(), "It is base64 of JSON"),
        (decode_json, "{'a': 1}", r"It is what Python's str\(\) makes of a dictionary"),
        (decode_json, "<order/>", "It is XML or HTML"),
        (decode_json, "[" * 200_000, "nested too deeply"),
        (decode_text, '{"a": 1}'.encode("utf-16"), "It is text in UTF-16, by its byte order mark"),
        (decode_text, '{"a": 1}'.encode("utf-32"), "It is text in UTF-32, by its byte order mark"),
        (decode_text, gzip.compress(b"{}", mtime=0), "It is data compressed by gzip"),
        (decode_json, '{"a": 1}'.encode("utf-16-le").decode(), "It is text in UTF-16 that was read as UTF-8"),
        (decode_json, '{"a": 1}'.encode("utf-16-be").decode(), "It is text in UTF-16 that was read as UTF-8"),
    ],
)
def test_an_error_says_what_it_is_instead(decode: Callable[[Any, str], Any], given_: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        decode(given_, "body")


@pytest.mark.parametrize("text", ['{"a": 1}', ' {"a": 1}\n', '\ufeff{"a": 1}', '\ufeff\r\n{"a": 1} '])
def test_json_is_read_with_a_byte_order_mark_and_white_space_or_without(text: str) -> None:
    assert decode_json(text, "body") == {"a": 1}


def test_an_error_behind_a_byte_order_mark_is_where_it_is_in_the_text() -> None:
    error = undecoded(decode_json, "\ufeff[x]")
    assert "line 1 column 3 (char 2)" in str(error)


def test_a_byte_order_mark_inside_of_json_is_what_it_is() -> None:
    assert decode_json('"\ufeffa"', "body") == "\ufeffa"
    with pytest.raises(json.JSONDecodeError):
        decode_json("\ufeff\ufeff1", "body")


def test_text_keeps_its_byte_order_mark() -> None:
    assert decode_text(b"\xef\xbb\xbfa", "body") == "\ufeffa"


@given(st.text())
def test_json_is_read_as_python_reads_it(text: str) -> None:
    try:
        expected = json.loads(text.removeprefix("\ufeff"))
    except ValueError:
        with pytest.raises(json.JSONDecodeError):
            decode_json(text, "body")
    else:
        assert repr(decode_json(text, "body")) == repr(expected)
