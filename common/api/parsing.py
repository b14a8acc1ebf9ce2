"""Bodies of requests: JSON objects, strictly, and no larger than the server wants to read."""

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

LARGEST_ID = 2**63 - 1


class BoundedJSONParser(JSONParser):
    """Reads a JSON object of at most ``DATA_UPLOAD_MAX_MEMORY_SIZE`` bytes.

    Refused as 400, because nothing later could do the right thing with it: text that is not UTF-8 or not JSON, anything
    but an object, ``NaN`` and ``Infinity``, a field named twice, NUL characters, whole numbers beyond 64 bits, and
    nesting too deep to read. A larger body is 413, and is not read.
    """

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The object in the body.

        Raises:
            ParseError: 400, with the reason.
            RequestDataTooBig: answered as 413.
        """
        raw = _read(stream, (parser_context or {}).get("request"))
        try:
            data = json.loads(
                raw.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant, parse_int=_whole_number
            )
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
        except ValueError as error:
            raise ParseError(f"This is not JSON: {error}") from error
        if not isinstance(data, dict):
            raise ParseError("The body must be a JSON object.")
        if b"\\u0000" in raw and _has_nul(data):
            raise ParseError("Text must not contain NUL characters.")
        return data


def _read(stream: IO[bytes], request: Any) -> bytes:
    """The body, refused as soon as it is known to be too large."""
    limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
    announced = str(request.META.get("CONTENT_LENGTH") or "0") if request is not None else "0"
    if limit and announced.isdigit() and int(announced) > limit:
        raise RequestDataTooBig
    raw = stream.read(limit + 1) if limit else stream.read()
    if limit and len(raw) > limit:
        raise RequestDataTooBig
    return raw


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ParseError("A field is given twice.")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ParseError(f"{name} is not JSON.")


def _whole_number(text: str) -> int:
    # Long digits are refused by their length first: reading them takes quadratic time.
    if len(text) > 20 or abs(int(text)) > LARGEST_ID:
        raise ParseError("A whole number is too large.")
    return int(text)


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(item) for key, item in value.items())
    return isinstance(value, list) and any(_has_nul(item) for item in value)
