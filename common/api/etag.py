"""``ETag`` and ``If-Match`` over a row's ``version``: a lost update is a 412, never a silent overwrite."""

import re
from typing import Final

from rest_framework.request import Request

from common.errors import BadInput, PreconditionFailed, PreconditionRequired

_VERSION: Final = re.compile(r'"(\d{1,18})"')


def etag(version: int) -> dict[str, str]:
    """The header that names a version, to be given with every answer that shows the row."""
    return {"ETag": f'"{version}"'}


def version_read(request: Request) -> int | None:
    """The version the caller read, from ``If-Match``; ``None`` for ``*``, which takes any.

    Raises:
        PreconditionRequired: 428, the header is missing.
        PreconditionFailed: 412, the header names something that was never a version here.
    """
    given = request.headers.get("If-Match", "").strip()
    if not given:
        raise PreconditionRequired
    if given == "*":
        return None
    if len(given) > 200:
        raise BadInput("If-Match is too long.", attr="If-Match")
    found = _VERSION.fullmatch(given)
    if not found:
        raise PreconditionFailed
    return int(found[1])


def require_version(current: int, expected: int | None) -> None:
    """Let pass who read the current version. The caller holds the row's lock.

    Raises:
        PreconditionFailed: 412, with the ``version`` that is current.
    """
    if expected is not None and expected != current:
        raise PreconditionFailed(version=current)
