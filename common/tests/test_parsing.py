"""A body is a JSON object of a bearable size; everything else is refused before any rule looks at it."""

import io
import json

import pytest
from django.core.exceptions import RequestDataTooBig
from django.test import RequestFactory, override_settings
from rest_framework.exceptions import ParseError

from common.api.parsing import LARGEST_ID, BoundedJSONParser


def parse(raw: bytes) -> dict[str, object]:
    request = RequestFactory().post("/", raw, content_type="application/json")
    return BoundedJSONParser().parse(io.BytesIO(raw), "application/json", {"request": request})


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"12",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1, "a": 2}',
        b'{"a": "\\u0000"}',
        b'{"\\u0000": 1}',
        b'{"a": [{"b": "x\\u0000"}]}',
        b'{"a": 9223372036854775808}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"a": 1} trailing',
    ],
    ids=lambda raw: raw[:24].decode("latin-1"),
)
def test_what_is_no_usable_object_is_a_parse_error(raw: bytes) -> None:
    with pytest.raises(ParseError):
        parse(raw)


@pytest.mark.parametrize(
    "value", [{}, {"a": 1.5, "b": None, "c": [True]}, {"name": "आशा"}, {"id": LARGEST_ID}, {"a": "\\u0000"}]
)
def test_what_is_an_object_is_read(value: dict[str, object]) -> None:
    assert parse(json.dumps(value).encode()) == value


@override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=100)
def test_a_large_body_is_refused_by_what_it_announces() -> None:
    with pytest.raises(RequestDataTooBig):
        parse(b'{"a": "' + b"x" * 200 + b'"}')


@override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=100)
def test_a_large_body_is_refused_where_it_announces_nothing() -> None:
    with pytest.raises(RequestDataTooBig):
        BoundedJSONParser().parse(io.BytesIO(b" " * 200))
