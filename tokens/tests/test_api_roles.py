"""Who may do what: every call against every role, nobody, and the administrator of another hospital."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from tokens.tests.hall import API, Hall, code

pytestmark = pytest.mark.django_db

ROLES = (
    "super-admin",
    "admin",
    "doctor",
    "reception",
    "staff",
    "lab-technician",
    "billing-staff",
    "pharmacist",
    "manager",
    "kiosk",
)
ALWAYS = {"super-admin", "admin"}
SEES = set(ROLES) - {"kiosk"}

Body = dict[str, Any] | Callable[[Hall], dict[str, Any]]


def wish(source: str, **more: Any) -> Callable[[Hall], dict[str, Any]]:
    """The body of a request for a place."""
    return lambda hall: {"slot": hall.slots[1].pk, "patient": hall.patient().pk, "source": source, **more}


def new_slot(hall: Hall) -> dict[str, Any]:
    """The body of a slot by hand, which overlaps: who may add one is told so."""
    times = {"starts_at": hall.session.starts_at.isoformat(), "ends_at": hall.session.ends_at.isoformat()}
    return {"doctor": hall.rao.pk, "room": hall.room.pk, "capacity": 1, **times}


# The call, its body (None: it is a GET), and who may beside those who may everything.
GIVING: list[tuple[str, Body, set[str]]] = [
    ("tokens/", wish("online"), {"reception", "staff"}),
    ("tokens/", wish("walk_in"), {"reception", "staff", "kiosk"}),
    ("tokens/", wish("follow_up"), {"reception", "doctor"}),
    ("tokens/", wish("paid"), {"reception", "billing-staff"}),
    ("tokens/", wish("emergency"), {"reception", "staff"}),
    ("tokens/", wish("online", paid=True), {"reception"}),
    ("tokens/", wish("walk_in", paid=True), {"reception"}),
    ("tokens/emergency/", wish("emergency"), {"reception", "staff"}),
]
CALLS: list[tuple[str, Body | None, set[str]]] = [
    ("tokens/{token}/", None, SEES),
    ("tokens/{token}/events/", None, SEES),
    ("tokens/{token}/explain/?than={other}", None, SEES),
    ("slots/{slot}/", None, set(ROLES)),
    ("slots/{slot}/tokens/", None, SEES),
    ("sessions/{session}/", None, set(ROLES)),
    ("sessions/{session}/queue/", None, SEES),
    ("tokens/{token}/cancel/", {}, {"reception", "staff"}),
    ("tokens/{token}/no-show/", {}, {"reception"}),
    ("tokens/{token}/late-return/", {}, {"reception", "staff", "kiosk"}),
    ("tokens/{token}/arrive/", {}, {"reception", "staff", "kiosk"}),
    ("tokens/{token}/mark-paid/", {}, {"reception", "billing-staff"}),
    ("tokens/{token}/move/", lambda hall: {"slot": hall.slots[2].pk}, {"reception"}),
    ("tokens/{token}/overbook/", {"reason": "x"}, {"reception", "doctor"}),
    ("tokens/{token}/change-patient/", lambda hall: {"patient": hall.patient().pk}, {"reception"}),
    ("tokens/{token}/call/", {}, {"reception", "doctor"}),
    ("tokens/{token}/recall/", {}, {"reception", "doctor"}),
    ("tokens/{token}/hold/", {"minutes": 5}, {"reception", "doctor"}),
    ("tokens/{token}/skip/", {}, {"reception", "doctor"}),
    ("tokens/{token}/start/", {}, {"doctor"}),
    ("tokens/{token}/complete/", {}, {"doctor"}),
    ("tokens/{token}/away/", {}, {"doctor"}),
    ("tokens/{token}/back/", {}, {"reception", "staff", "kiosk", "doctor"}),
    ("tokens/{token}/send/", lambda hall: {"department": hall.department.pk}, {"doctor", "reception"}),
    ("tokens/{token}/undo/", {}, {"reception", "doctor"}),
    ("slots/", new_slot, {"manager"}),
    ("slots/{slot}/capacity/", {"capacity": 9, "dry_run": True}, {"reception", "manager"}),
    ("slots/{slot}/block/", {"dry_run": True}, {"reception", "manager"}),
    ("slots/{slot}/unblock/", {"dry_run": True}, {"reception", "manager"}),
    ("sessions/{session}/call-next/", {}, {"reception", "doctor"}),
    ("sessions/{session}/delay/", {"minutes": 5}, {"doctor", "reception", "manager"}),
    ("sessions/{session}/pause/", {}, {"doctor", "reception", "manager"}),
    ("sessions/{session}/resume/", {}, {"doctor", "reception", "manager"}),
    ("sessions/{session}/rescore/", {"dry_run": True}, {"reception", "manager"}),
    ("sessions/{session}/close/", {"dry_run": True}, {"reception", "manager"}),
    ("sessions/{session}/cancel/", {"dry_run": True}, {"reception", "manager"}),
]
LISTS = [("tokens/", SEES), ("board/", SEES), ("slots/", set(ROLES)), ("sessions/", set(ROLES))]


@pytest.fixture
def hall() -> Hall:
    return Hall()


def answer(client: APIClient, hall: Hall, path: str, body: Body | None) -> Any:
    """What a client is answered."""
    token, other = hall.give("online"), hall.give("online")
    url = API + path.format(token=token["id"], other=other["id"], slot=hall.slots[1].pk, session=hall.session.pk)
    if body is None:
        return client.get(url)
    return client.post(url, body(hall) if callable(body) else body, format="json")


def named(calls: list[tuple[str, Any, set[str]]]) -> list[Any]:
    return [pytest.param(*call, id=f"{index} {call[0]}") for index, call in enumerate(calls)]


@pytest.mark.parametrize(("path", "body", "allowed"), named([*GIVING, *CALLS]))
def test_who_may_do_it(hall: Hall, path: str, body: Body | None, allowed: set[str]) -> None:
    for role in ROLES:
        given = answer(hall.client(role), hall, path, body)
        if role in allowed | ALWAYS:
            assert given.status_code in (200, 201, 204, 409), (role, given.content)
        else:
            assert (given.status_code, code(given)) == (403, "permission_denied"), (role, given.content)
            assert given.json()["errors"][0]["needed"]


@pytest.mark.parametrize(("path", "body", "allowed"), named([*GIVING, *CALLS]))
def test_for_others_it_does_not_exist_and_nobody_does_it_without_signing_in(
    hall: Hall, path: str, body: Body | None, allowed: set[str]
) -> None:
    stranger = answer(Hall(name="Other Hospital").client(), hall, path, body)
    assert (stranger.status_code, code(stranger)) == (404, "not_found")
    assert answer(APIClient(), hall, path, body).status_code == 401


@pytest.mark.parametrize(("path", "allowed"), LISTS)
def test_who_may_list(hall: Hall, path: str, allowed: set[str]) -> None:
    for role in ROLES:
        assert hall.get(path, role=role).status_code == (200 if role in allowed else 403), role
    assert APIClient().get(API + path).status_code == 401


@pytest.mark.parametrize("path", ["tokens/{token}/", "slots/{slot}/", "sessions/{session}/", "board/", "plans/1/"])
def test_nothing_is_replaced_or_deleted(hall: Hall, path: str) -> None:
    url = API + path.format(token=hall.give()["id"], slot=hall.slots[0].pk, session=hall.session.pk)
    for method in ("put", "patch", "delete"):
        assert getattr(hall.client(), method)(url).status_code in (404, 405)
