"""Idempotency keys: the same request sent twice is done once, and both are told the same.

::

    class PatientViewSet(GenericViewSet):
        @idempotent
        def create(self, request):
            ...
            return Response(data, status=201)

The decorated handler runs in the outermost transaction. With an ``Idempotency-Key`` its first statement claims the
key: a second request with the same key waits there until the first has committed, and then replays its answer, or
takes over where the first was rolled back. The answer is written before the commit, with its status and the headers
that the handler gave it (``ETag``), so key and deed stand or fall together; a refusal rolls back and leaves nothing.
Without a key there is no statement at all. Keys older than a day are taken over.
"""

import functools
import hashlib
import json
from collections.abc import Callable
from typing import Any, Concatenate, Final, ParamSpec

from django.db import connection, transaction
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from common.errors import BadInput, DomainError
from common.transactions import outermost

P = ParamSpec("P")

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
LONGEST: Final = 200
_END: Final = "\n\n"
"""Between the headers of a kept answer and its body."""


class IdempotencyConflict(DomainError):
    """The key was used for another request."""

    code = "idempotency_conflict"
    status = 422
    sentence = "This Idempotency-Key was already used for another request."


_table = ""


def use_table(name: str) -> None:
    """Say where answers are kept. This floor has no tables; the app that lends one calls this when Django starts.

    The table has ``user_id``, ``key`` (unique together), ``fingerprint``, ``status``, ``body`` and ``created_at``.
    """
    global _table
    _table = name


def idempotent(
    handler: Callable[Concatenate[Any, Request, P], Response],
) -> Callable[Concatenate[Any, Request, P], Response]:
    """Run a POST handler of a view in the outermost transaction, once for each key of a caller.

    Raises (from the wrapped handler):
        BadInput: the key is longer than 200 characters or has characters that do not print.
        IdempotencyConflict: 422, the key came with another request before.
    """

    @functools.wraps(handler)
    def wrapped(view: Any, request: Request, *args: P.args, **kwargs: P.kwargs) -> Response:
        work = functools.partial(_run, handler, view, request, *args, **kwargs)
        key = _key(request)
        return outermost(work if key is None else lambda: _claim(request, key) or _keep(request, key, work()))

    return wrapped


def once(work: Callable[[], Any], *, user_id: int, key: str, fingerprint: str) -> Any:
    """The same for a page: run ``work`` in the outermost transaction, once for each key of a person.

    Args:
        work: does the deed and returns what the page tells of it, as JSON knows it.
        key: what the form carried; nothing turns the protection off.
        fingerprint: what makes two requests the same.

    Returns:
        what ``work`` returned, now or when the key was used first.

    Raises:
        IdempotencyConflict: 422, the key came with another request before.
    """

    def keeping() -> Any:
        kept = _claimed(user_id, key, fingerprint)
        if kept is not None:
            return json.loads(kept[1])
        answer = work()
        _write(user_id, key, 200, json.dumps(answer))
        return answer

    return outermost(keeping if key else work)


def _key(request: Request) -> str | None:
    """The caller's key; nobody's, where nobody has signed in."""
    key = request.headers.get(HEADER)
    if key is None or not request.user.is_authenticated:
        return None
    if not 0 < len(key) <= LONGEST or not key.isprintable():
        raise BadInput(f"The {HEADER} must have 1 to {LONGEST} printable characters.", attr=HEADER)
    return key


def _who(request: Request) -> int:
    assert request.user.pk is not None  # a key is taken from the signed-in only
    return request.user.pk


def _run(handler: Callable[..., Response], view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
    """The handler's answer. One that refuses without raising is rolled back too."""
    response = handler(view, request, *args, **kwargs)
    if response.status_code >= 400:
        transaction.set_rollback(True)
    return response


def _claim(request: Request, key: str) -> Response | None:
    """Claim the key for a request of the API; the kept answer where there is one."""
    kept = _claimed(_who(request), key, _fingerprint(request))
    if kept is None:
        return None
    status, answer = kept
    headers, body = _read(answer)
    return Response(json.loads(body) if body else None, status=status, headers={**headers, REPLAYED: "true"})


def _keep(request: Request, key: str, response: Response) -> Response:
    """Write the answer beside what it tells of. A refusal is not kept: its transaction is rolled back."""
    if response.status_code < 400:
        body = "" if response.data is None else JSONRenderer().render(response.data).decode()
        _write(_who(request), key, response.status_code, _head(response) + body)
    return response


def _head(response: Response) -> str:
    """The handler's own headers as HTTP writes them, a line each and an empty one; nothing where it gave none.

    What it is written in (``Content-Type``) is the renderer's, and given anew.
    """
    lines = [f"{name}: {value}" for name, value in response.headers.items() if name != "Content-Type"]
    return "\n".join(lines) + _END if lines else ""


def _read(answer: str) -> tuple[dict[str, str], str]:
    """Headers and body of a kept answer. JSON is written on one line, so the first empty line ends the headers."""
    head, end, body = answer.rpartition(_END)
    return dict(line.split(": ", 1) for line in head.split("\n")) if end else {}, body


def _claimed(user_id: int, key: str, fingerprint: str) -> tuple[int, str] | None:
    """Claim the key, waiting for whoever holds it; the kept status and body where there are any.

    The refused update of a living key locks its row, so it is still there for the second statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {_table} AS kept (user_id, key, fingerprint, body, created_at)
            VALUES (%s, %s, %s, '', now())
            ON CONFLICT (user_id, key) DO UPDATE
                SET fingerprint = excluded.fingerprint, status = NULL, body = '', created_at = now()
                WHERE kept.created_at < now() - interval '1 day'
            RETURNING id
            """,  # noqa: S608 (the table's name comes from the model)
            [user_id, key, fingerprint],
        )
        if cursor.fetchone():
            return None
        cursor.execute(
            f"SELECT fingerprint, status, body FROM {_table} WHERE user_id = %s AND key = %s",  # noqa: S608
            [user_id, key],
        )
        known, status, body = cursor.fetchone()
    if known != fingerprint:
        raise IdempotencyConflict
    return status, body


def _write(user_id: int, key: str, status: int, body: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_table} SET status = %s, body = %s WHERE user_id = %s AND key = %s",  # noqa: S608
            [status, body, user_id, key],
        )


def _fingerprint(request: Request) -> str:
    """What makes two requests the same: method, path with its query, and body, whatever the order of its fields."""
    body = json.dumps(request.data, sort_keys=True, default=str)
    return hashlib.sha256(f"{request.method} {request.get_full_path()}\n{body}".encode()).hexdigest()
