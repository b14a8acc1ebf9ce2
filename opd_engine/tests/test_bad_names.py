"""Names, notes and reasons that are markup: no page and no stream takes them for its own."""

from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from common.transactions import outermost
from consultations.tests.factories import Surgery
from reception.tests.factories import HOUR
from scheduling.tests.factories import DepartmentFactory
from tokens import allocation, queueing, supply

pytestmark = pytest.mark.django_db

BAD = "<img src=x onerror=boom()>\"'&<b id=boom>{}"
"""At most 60 characters with what it is the name of."""


class Seen(HTMLParser):
    """Finds tags and attributes that nobody wrote into a template."""

    def __init__(self) -> None:
        super().__init__()
        self.bad: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if any(name.startswith("on") for name in names) or names.get("id") == "boom" or names.get("src") == "x":
            self.bad.append(self.get_starttag_text() or tag)
        if tag == "img" or any('"' in name or "<" in name or "boom" in name for name in names):
            self.bad.append(self.get_starttag_text() or tag)
        if any((names.get(name) or "").strip().lower().startswith("javascript:") for name in ("href", "formaction")):
            self.bad.append(self.get_starttag_text() or tag)


def bad_in(html: str) -> list[str]:
    seen = Seen()
    seen.feed(html)
    seen.close()
    return seen.bad


class BadHouse(Surgery):
    """A hall in which everything that has a name has a bad one."""

    def __init__(self) -> None:
        super().__init__(capacity=1, policy="weighted-waitlist")
        for row, what in ((self.facility, "house"), (self.department, "department"), (self.rao, "doctor")):
            self.renamed(row, what)
        self.renamed(self.session.room, "room")
        self.facility.languages = ["en", "hi", "ar"]
        self.facility.show_names_on_board = True
        self.facility.save()
        self.renamed(self.doctor_user, "user")
        self.chief = self.user("admin", name=BAD.format("chief"))
        other = self.doctor(
            "Dr Other", department=DepartmentFactory(facility=self.facility, name=BAD.format("skin"), code="SKIN")
        )
        self.renamed(other, "other")
        self.other = self.sitting(other, self.session.starts_at + HOUR / 4)
        self.first = self.give(BAD.format("first"), slot=0, arrived=True)
        self.second = self.give(BAD.format("second"), slot=1, arrived=True)
        self.third = self.give(BAD.format("third"), "online", slot=2)
        self.fourth = self.give(BAD.format("fourth"), "online", slot=2)

    def renamed(self, row: Any, what: str) -> None:
        row.name = BAD.format(what)
        row.save(update_fields=["name"])

    def do(self, verb: Any, **wish: Any) -> Any:
        """An action by the chief, who has a bad name too."""
        return outermost(lambda: verb(by=self.chief, **wish))


def pages_of(house: BadHouse) -> list[str]:
    """Every page that shows a name, each step's form, each change's preview, what is found."""
    tokens = (house.first, house.second, house.third)
    verbs = ("cancel", "overbook", "move", "send-on", "send-away", "correct")
    changes = ("delay", "pause", "capacity&capacity=0", "block", "close&move=on", "cancel&move=on")
    slots = [slot.pk for slot in house.session.slots.all()]
    sessions = f"/desk/sessions/{house.session.pk}/"
    patient = house.first.patient_id
    return [
        "/desk/",
        "/desk/?view=columns",
        "/overview/",
        "/desk/?tell=1",
        f"/desk/?give={patient}",
        f"/desk/?patient={patient}",
        f"/desk/look/?patient={patient}&source=walk_in",
        f"/desk/find/?q={BAD[:20]}",
        "/desk/find/?q=first",
        *(f"/desk/?token={each.pk}" for each in tokens),
        *(f"/desk/tokens/{each.pk}/" for each in tokens),
        *(f"/desk/tokens/{each.pk}/slip/" for each in tokens),
        *(f"/desk/tokens/{each.pk}/{verb}/?q=boom" for each in tokens for verb in verbs),
        sessions,
        *(f"{sessions}?do={change}&slot={slots[1]}" for change in changes),
        f"{sessions}?do=block&slot={slots[1]}&next={BAD}",
        f"{sessions}?do=block&slot={slots[1]}&next=javascript:boom()",
        f"/board/{house.facility.slug}/",
        *(f"/t/{each.key}?lang={language}" for each in tokens for language in ("en", "ar")),
        f"/t/{house.third.key}/cancel/",
        *(f"/console/?session={house.session.pk}&do={what}" for what in ("", "test", "send", "delay", "history")),
        *(f"/console/?session={house.session.pk}&do=token&token={each.pk}" for each in tokens),
    ]


def streams_of(house: BadHouse) -> list[str]:
    return [
        "/desk/stream/",
        "/desk/stream/?overview",
        f"/desk/tokens/{house.first.pk}/stream/",
        f"/desk/tokens/{house.third.pk}/stream/",
        f"/console/stream/?session={house.session.pk}",
        f"/board/{house.facility.slug}/stream/",
        f"/t/{house.second.key}/stream/",
    ]


def readers(house: BadHouse) -> list[tuple[Client, dict[str, str]]]:
    """Pages for a receptionist and a doctor, and the desk's pieces as htmx asks for them."""
    return [(house.asha, {}), (house.asha, {"HX-Request": "true", "HX-Target": "drawer"}), (house.browser, {})]


def check(house: BadHouse) -> None:
    """Nothing bad stands in any page or part, and each page is one that somebody could read."""
    read: set[str] = set()
    for client, headers in readers(house):
        for path in pages_of(house):
            response = client.get(path, headers=headers)
            assert response.status_code < 500, path
            if response.status_code == 200:
                html = response.content.decode()
                assert bad_in(html) == [], path
                read.update({path} if "onerror" in html else ())
        for path in streams_of(house):
            stream: Any = client.get(path)
            if stream.status_code == 200:
                for name, part in stream.watch.read().parts.items():
                    assert bad_in(part) == [], (path, name)
    for path in ("/desk/", "/overview/", f"/t/{house.first.key}?lang=en", f"/desk/tokens/{house.first.pk}/"):
        assert path in read, path


def test_before_anybody_is_called() -> None:
    check(BadHouse())


def test_in_the_middle_of_everything() -> None:
    house = BadHouse()
    reason = BAD.format("reason")
    house.do(queueing.call, token_id=house.first.pk)
    house.do(queueing.start, token_id=house.first.pk)
    house.do(queueing.send_away, token_id=house.first.pk, where=BAD.format("where"))
    house.do(queueing.call, token_id=house.second.pk)
    house.do(allocation.overbook_token, token_id=house.fourth.pk, reason=reason)
    house.do(supply.block_slot, slot_id=house.third.slot_id, reason=reason, version=None)
    house.do(supply.delay_session, session_id=house.session.pk, minutes=20)
    check(house)


def test_what_is_said_after_a_step() -> None:
    house = BadHouse()
    reason = BAD.format("reason")
    for verb, sent in (
        ("send-away", {"where": reason}),
        ("emergency", {}),
        ("cancel", {"reason": reason, "next": "javascript:boom()"}),
        ("undo", {}),
        ("nothing", {"reason": reason}),
        ("correct", {"reason": reason, "patient": house.third.patient_id}),
        ("send-on", {"reason": reason, "to": f"doctor-{house.other.doctor_id}"}),
    ):
        for headers in ({}, {"HX-Request": "true"}):
            path = f"/desk/tokens/{house.second.pk}/{verb}/"
            response = house.asha.post(path, sent, headers=headers, follow=True)
            assert response.status_code < 500, path
            assert bad_in(response.content.decode()) == [], path
    for name in ("register", "find"):
        path = {"register": "/desk/patients/", "find": "/desk/look/"}[name]
        sent = {"name": reason, "phone": reason, "age": reason}
        response = house.asha.post(path, sent, follow=True)
        assert response.status_code < 500, path
        assert bad_in(response.content.decode()) == [], path


def test_at_the_kiosk() -> None:
    house = BadHouse()
    client = house.client("manager")
    client.post("/kiosk/begin/")
    for path in ("/kiosk/", "/kiosk/?lang=ar", "/kiosk/departments/", "/kiosk/find/", "/kiosk/end/", "/desk/"):
        assert bad_in(client.get(path).content.decode()) == [], path
    for code in (house.third.key, BAD):
        answer = client.post("/kiosk/scan/", {"code": code}, follow=True)
        assert bad_in(answer.content.decode()) == []


def test_the_check_finds_what_it_is_for() -> None:
    assert bad_in(f"<p>{BAD}</p>")
    assert bad_in(f'<p title="{BAD}">')
    assert bad_in(f"<p title='{BAD}'>")
    assert bad_in('<a href="javascript:boom()">')
    assert bad_in('<p title="&lt;img src=x onerror=boom()&gt;">&lt;b id=boom&gt;</p>') == []
