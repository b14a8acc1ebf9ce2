"""Every address of the pages, in one table: who gets in, who is refused, and what a stranger's hospital is.

The table is compared with the site map: an address, a step or a change that has no line here fails a test.
"""

import inspect
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse, SimpleCookie
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts.models import AccessAttempt
from accounts.permissions import SYSTEM_ROLES
from accounts.tests.factories import UserFactory
from billing.actions import create_bill, credit_bill, move_cash, pay
from billing.models import BillingSettings, Drawer, Payment, Shift
from billing.rules import LineIn
from billing.tenders import Tender
from consultations.pages import stepping
from reception.changes import CHANGES
from reception.models import PatientTold
from reception.steps import STEPS
from reception.tests.factories import Hall
from tokens.models import Event

pytestmark = pytest.mark.django_db

ROLES = (
    "own-doctor",
    "doctor",
    "reception",
    "staff",
    "lab-technician",
    "billing-staff",
    "pharmacist",
    "manager",
    "kiosk",
)
SEE = "doctor reception staff lab-technician billing-staff pharmacist manager"
ANYBODY = f"{SEE} kiosk"
DESKS = "reception staff"
MONEY = "reception billing-staff manager"
OPENS = "own-doctor reception manager"
OPENS_OR_SCREEN = f"{OPENS} kiosk"

WAYS_IN = ("/accounts/login/", "/kiosk/", "/t/")
SIGN_IN, TOLD_TO_SIGN_IN, OPEN, NOWHERE = 302, 401, 200, 404
ELSEWHERE = ("api/", "admin/", "accounts/", "healthz", "readyz")
"""No pages of ours: the API and what machines ask have tests of their own, the others come with their packages."""

REASON = {"reason": "as asked"}
KEEP = {**REASON, "slot": "{free}", "to": "doctor-{nair}", "patient": "{other}", "where": "X-ray"}


@dataclass(frozen=True)
class Line:
    """One address.

    Attributes:
        view: its name in the site map; for those without, the pattern.
        path: what is asked for. Words in braces are things of a hospital, so a stranger gets 404.
        roles: whom it lets in, beside administrators; what comes then may still be refused by a rule.
        sent: the form; asked for by GET without one.
        nobody: what it answers to who has not signed in.
        named: other words for the same view, such as the verb.
        known_to: who of the house may know that it is there: 403 for them where they may not, 404 for others.
    """

    view: str
    path: str
    roles: str = SEE
    sent: dict[str, str] | None = None
    nobody: int = SIGN_IN
    named: str = ""
    known_to: str = f"own-doctor {ANYBODY}"

    def __str__(self) -> str:
        return f"{self.view} {self.named}".strip()

    @property
    def of_a_hospital(self) -> bool:
        """Whether it names a thing that belongs to one hospital."""
        return "{" in self.path + "".join((self.sent or {}).values())


def step(verb: str, roles: str) -> Line:
    """A step of a token at the desk."""
    return Line("token_step", f"/desk/tokens/{{token}}/{verb}/", roles, sent=KEEP, named=verb)


def change(verb: str, roles: str) -> Line:
    """A change of a session."""
    sent = {"do": verb, "slot": "{free}", "minutes": "10", "capacity": "1", "reason": "as asked"}
    return Line("session", "/desk/sessions/{session}/", roles, sent=sent, named=verb)


def press(verb: str, roles: str) -> Line:
    """A button of the console."""
    sent = {
        "token": "{token}",
        "minutes": "10",
        "place": "X-ray",
        "to": "doctor-{nair}",
        "reason": "as asked",
        "seq": "{seq}",
    }
    path = f"/console/{{session}}/{verb}/"
    return Line("console_step", path, roles, sent=sent, named=verb, known_to=OPENS_OR_SCREEN)


LINES = (
    # everybody
    Line("sign_in.home", "/", ANYBODY),
    Line("board", "/board/{slug}/", ANYBODY, nobody=OPEN),
    Line("board_stream", "/board/{slug}/stream/", ANYBODY, nobody=OPEN),
    Line("patient", "/t/{key}", ANYBODY, nobody=OPEN),
    Line("patient.patient", "/t/{key}/", ANYBODY, nobody=OPEN),
    Line("patient_stream", "/t/{key}/stream/", ANYBODY, nobody=OPEN),
    Line("patient_here", "/t/{key}/here/", ANYBODY, sent={}, nobody=302),
    Line("patient_cancel", "/t/{key}/cancel/", ANYBODY, nobody=OPEN),
    # all who have signed in
    Line("design", "/design/", ANYBODY),
    # the desk and the overview
    Line("desk", "/desk/"),
    Line("desk", "/desk/?token={token}", named="a token"),
    Line("desk", "/desk/?token={token}&do=cancel", DESKS, named="a token and its step"),
    Line("desk", "/desk/?patient={other}", named="a patient"),
    Line("desk", "/desk/?given={token}", named="what was given"),
    Line("desk", "/desk/?register=1", DESKS, named="the form for a patient"),
    Line("desk", "/desk/?tell=1", "reception staff", named="the list of who is to be told"),
    Line("overview", "/overview/"),
    Line("overview", "/overview/?doctor={session}", named="a doctor"),
    Line("desk_stream", "/desk/stream/", nobody=TOLD_TO_SIGN_IN),
    Line("desk_find", "/desk/find/?q=ravi"),
    Line("desk_facility", "/desk/facility/", sent={"facility": "{facility}"}),
    Line("desk_look", "/desk/look/", ANYBODY, sent={"patient": "1"}),
    Line("desk_register", "/desk/patients/", DESKS, sent={"name": "Somebody New"}),
    Line(
        "desk_give",
        "/desk/tokens/",
        DESKS,
        sent={"patient": "{other}", "source": "walk_in", "who": "doctor-{rao}", "slot_walk_in": "{free}"},
    ),
    Line("desk_tell", "/desk/tell/", DESKS, sent={"who": "{token}.{seq}.change"}),
    Line("desk_tell_undo", "/desk/tell/undo/", DESKS, sent={"told": "{told}"}),
    # a token
    Line("token", "/desk/tokens/{token}/"),
    Line("token_stream", "/desk/tokens/{token}/stream/", nobody=TOLD_TO_SIGN_IN),
    Line("token_slip", "/desk/tokens/{token}/slip/"),
    Line("token_print", "/desk/tokens/{token}/print/", sent={}),
    step("arrive", DESKS),
    step("back", "doctor reception staff"),
    step("late-return", DESKS),
    step("call", "doctor reception"),
    step("recall", "doctor reception"),
    step("start", "doctor"),
    step("complete", "doctor"),
    step("send-away", "doctor"),
    step("move", "reception"),
    step("hold", "doctor reception"),
    step("emergency", DESKS),
    step("no-show", "reception"),
    step("cancel", DESKS),
    step("skip", "doctor reception"),
    step("mark-paid", "reception billing-staff"),
    step("overbook", "doctor reception"),
    step("send-on", "doctor reception"),
    step("correct", "reception"),
    step("undo", "doctor reception"),
    # a session
    Line("session", "/desk/sessions/{session}/", named="the list of what can be done"),
    change("delay", "doctor reception manager"),
    change("pause", "doctor reception manager"),
    change("resume", "doctor reception manager"),
    change("capacity", "reception manager"),
    change("block", "reception manager"),
    change("unblock", "reception manager"),
    change("close", "reception manager"),
    change("cancel", "reception manager"),
    Line("session_call_next", "/desk/sessions/{session}/call-next/", "doctor reception", sent={}),
    # the console: one's own, or any for those who stand in
    Line("console", "/console/", OPENS),
    Line("console", "/console/?session={session}", OPENS, named="of a session", known_to=OPENS_OR_SCREEN),
    Line(
        "console_stream", "/console/stream/?session={session}", OPENS, nobody=TOLD_TO_SIGN_IN, known_to=OPENS_OR_SCREEN
    ),
    *(press(verb, OPENS) for verb in ("delay", "pause", "resume")),
    *(press(verb, "own-doctor reception") for verb in ("call-next", "call", "recall", "skip", "hold")),
    *(press(verb, "own-doctor reception") for verb in ("back", "send", "overbook", "undo")),
    *(press(verb, "own-doctor") for verb in ("start", "complete", "complete-next", "test")),
    # the reports
    Line("reports", "/reports/", "manager"),
    Line("reports", "/reports/?doctor={rao}", "manager", named="of a doctor"),
    Line("reports", "/reports/?department={department}&span=month", "manager", named="of a department's month"),
    Line("reports_all", "/reports/all.zip", "manager"),
    Line("reports_figure", "/reports/waits.csv", "manager", named="of the hall"),
    Line("reports_figure", "/reports/takings.csv", "manager", named="of money"),
    # the cash desk
    Line("cash", "/cash/", MONEY),
    Line("cash", "/cash/?tab=paid", MONEY, named="another tab"),
    Line("cash", "/cash/?bill={bill}", MONEY, named="a bill"),
    Line("cash", "/cash/?receipt={receipt}", MONEY, named="a receipt"),
    Line("cash", "/cash/?token={token}", MONEY, named="a token"),
    Line("cash", "/cash/?patient={other}", MONEY, named="a patient"),
    Line("cash", "/cash/?do=open", "billing-staff", named="the form of a shift"),
    Line("cash", "/cash/?do=close&shift={shift}", "billing-staff manager", named="the form of a count"),
    Line("cash", "/cash/?do=move&shift={shift}", "billing-staff manager", named="the form of cash in and out"),
    Line("cash", "/cash/?do=bill&patient={other}", "reception billing-staff", named="the form of a bill"),
    Line("cash", "/cash/?do=advance&patient={other}", "billing-staff", named="the form of an advance"),
    Line("cash", "/cash/?do=advance-back&patient={other}", "billing-staff", named="the form of an account"),
    Line("cash", "/cash/?do=refund&payment={payment}", "billing-staff", named="the form of a refund"),
    Line("cash", "/cash/?do=back&bill={credited}", "billing-staff", named="the form of what goes back"),
    Line("cash", "/cash/?do=void&bill={bill}", "billing-staff manager", named="the form of a void"),
    Line("cash", "/cash/?do=credit&bill={bill}", "billing-staff manager", named="the form of a credit"),
    Line("cash", "/cash/?do=priority&token={token}", "billing-staff", named="the form of priority"),
    Line("cash_stream", "/cash/stream/", MONEY, nobody=TOLD_TO_SIGN_IN),
    Line("cash_find", "/cash/find/?q=ravi", MONEY),
    Line("cash_look", "/cash/bills/look/", "reception billing-staff", sent={"price": "1", "quantity": "1"}),
    Line("cash_new_bill", "/cash/bills/", "reception billing-staff", sent={"patient": "{other}", "price": "1"}),
    Line("cash_take", "/cash/bills/{bill}/take/", "billing-staff", sent={"method": "card", "reference": "T-9"}),
    Line("cash_issue", "/cash/bills/issue/", "billing-staff reception", sent={"bill": "{draft}"}),
    Line("cash_void", "/cash/bills/void/", "billing-staff manager", sent={"bill": "{bill}", **REASON}),
    Line(
        "cash_credit",
        "/cash/bills/credit/",
        "billing-staff manager",
        sent={"bill": "{bill}", "amount": "10", **REASON},
    ),
    Line("cash_back", "/cash/bills/give-back/", "billing-staff", sent={"bill": "{credited}", **REASON}),
    Line(
        "cash_refund", "/cash/payments/refund/", "billing-staff", sent={"payment": "{payment}", "amount": "1", **REASON}
    ),
    Line("cash_priority", "/cash/priority/", "billing-staff", sent={"token": "{token}", "method": "cash"}),
    Line(
        "cash_advance",
        "/cash/account/",
        "billing-staff",
        sent={"patient": "{other}", "amount": "10", "method": "card", "reference": "T-8"},
    ),
    Line(
        "cash_advance_back",
        "/cash/account/back/",
        "billing-staff",
        sent={"patient": "{other}", "amount": "10", **REASON},
    ),
    Line("cash_open_shift", "/cash/shifts/", "billing-staff", sent={"float": "0"}),
    Line(
        "cash_move",
        "/cash/shifts/move/",
        "billing-staff manager",
        sent={"shift": "{shift}", "kind": "from_safe", "amount": "1"},
    ),
    Line("cash_close_shift", "/cash/shifts/close/", "billing-staff manager", sent={"shift": "{shift}", "counted": "0"}),
    *(
        Line(f"cash_{name}", f"/cash/{path}/", MONEY, sent=sent)
        for name, path, sent in (
            ("bill_paper", "bills/{bill}/paper", None),
            ("bill_pdf", "bills/{bill}/pdf", None),
            ("receipt", "receipts/{receipt}", None),
            ("receipt_pdf", "receipts/{receipt}/pdf", None),
            ("receipt_print", "receipts/{receipt}/print", {}),
        )
    ),
    Line("cash_report", "/cash/shifts/{shift}/report/", "billing-staff manager"),
    Line("cash_report_pdf", "/cash/shifts/{shift}/pdf/", "billing-staff manager"),
    Line("cash_voucher", "/cash/moves/{movement}/", "billing-staff manager"),
    Line("cash_voucher_print", "/cash/moves/{movement}/print/", "billing-staff manager", sent={}),
    # the kiosk, on a screen that is none yet
    Line("kiosk", "/kiosk/", "reception manager"),
    Line("kiosk_begin", "/kiosk/begin/", "reception manager", sent={}),
    *(
        Line(f"kiosk_{name}", f"/kiosk/{name}/", ANYBODY, sent=sent)
        for name, sent in (("end", None), ("scan", {}), ("find", None), ("choose", {}), ("departments", None))
    ),
    Line("kiosk_answer", "/kiosk/answer/", ANYBODY),
)


class World(Hall):
    """A hospital with a token that lost its place, one doctor more, and somebody of each role."""

    def __init__(self) -> None:
        super().__init__(capacity=1)
        self.nair = self.doctor("Dr Nair")
        self.sitting(self.nair, self.session.starts_at)
        self.token = self.give("Ravi", "online", slot=1)
        self.give("Neha", "paid", slot=1)
        self.own = self.user("doctor")
        self._money()
        self.rao.user = self.own
        self.rao.save(update_fields=["user"])

    def _money(self) -> None:
        """A cashier's open shift, a bill that is owed, one that was paid, and one of which something goes back."""
        wish = {"facility_id": self.facility.pk, "patient_id": self.token.patient_id, "by": None}
        BillingSettings.objects.create(facility=self.facility, priority_fee=300)
        drawer = Drawer.objects.create(facility=self.facility, name="Drawer 1")
        self.shift = Shift.objects.create(
            facility=self.facility, drawer=drawer, cashier=self.user("billing-staff"), number=1, float_amount=0,
            date=self.facility.local_date(), opened_at=timezone.now(),
        )  # fmt: skip
        self.movement = move_cash(
            shift_id=self.shift.pk, kind="from_safe", amount=Decimal(100), by=self.user("billing-staff")
        )
        self.bills = [create_bill(**wish, lines=[LineIn("ECG", Decimal(350))]) for _ in range(3)]
        self.draft = create_bill(**wish, lines=[LineIn("ECG", Decimal(350))], draft=True)
        card = [Tender("card", Decimal(350), reference=f"C-{n}") for n in (1, 2)]
        self.receipt = pay(bill_id=self.bills[1].pk, tenders=card[:1], by=None)
        pay(bill_id=self.bills[2].pk, tenders=card[1:], by=None)
        credit_bill(bill_id=self.bills[2].pk, amount=Decimal(100), reason="as asked", by=None)

    def browser(self, role: str) -> Client:
        """A browser of somebody of that role; Dr Rao's own, or that of another doctor."""
        if role == "doctor":
            client = Client()
            other: Any = UserFactory(username=f"other{self.serial}", roles=["doctor"], facility=self.facility)
            client.force_login(other)
            return client
        return self.client(role.removeprefix("own-"))

    def things(self) -> dict[str, object]:
        """What the words in braces stand for."""
        displaced = Event.objects.filter(token=self.token, kind="displaced").latest("seq")
        told = PatientTold.objects.filter(token=self.token).first() or PatientTold.objects.create(
            token=self.token, seq=displaced.seq, at=displaced.at, by=self.own
        )
        return {
            "token": self.token.pk,
            "key": self.token.key,
            "seq": displaced.seq,
            "told": told.pk,
            "session": self.session.pk,
            "slug": self.facility.slug,
            "facility": self.facility.pk,
            "free": self.slots[2].pk,
            "rao": self.rao.pk,
            "department": self.department.pk,
            "nair": self.nair.pk,
            "other": self.patient("Omar").pk,
            "bill": self.bills[0].pk,
            "credited": self.bills[2].pk,
            "draft": self.draft.pk,
            "receipt": self.receipt.pk,
            "payment": Payment.objects.get(receipt=self.receipt).pk,
            "shift": self.shift.pk,
            "movement": self.movement.pk,
        }


@contextmanager
def asked(client: Client, line: Line, things: dict[str, object]) -> Iterator[Any]:
    """Open an address, or send its form; afterwards everything is as it was, the browser too."""
    path = line.path.format(**things)
    cookies = {name: each.value for name, each in client.cookies.items()}
    kept = transaction.savepoint()
    if line.sent is None:
        yield client.get(path)
    else:
        sent = {name: value.format(**things) for name, value in line.sent.items()}
        yield client.post(path, {**sent, "idempotency_key": uuid.uuid4().hex})
    transaction.savepoint_rollback(kept)
    client.cookies = SimpleCookie(cookies)


def refusal(answer: HttpResponse) -> int:
    """With what somebody was turned away at the door; 0 for a page, a way on, or what a rule says."""
    assert answer.status_code < 500
    to_sign_in = answer.status_code == SIGN_IN and answer["Location"].startswith("/accounts/login/")
    return answer.status_code if to_sign_in or answer.status_code in (401, 403, 404) else 0


def expected(line: Line, role: str) -> int:
    """The same as the table has it."""
    kind = role.removeprefix("own-")
    if role == "admin" or {role, kind} & set(line.roles.split()):
        return 0
    return 403 if {role, kind} & set(line.known_to.split()) else 404


def test_who_gets_in_and_who_does_not() -> None:
    world = World()
    things = world.things()
    wrong = {}
    for role in (*ROLES, "admin"):
        client = world.browser(role)
        for line in LINES:
            with asked(client, line, things) as answer:
                if refusal(answer) != expected(line, role):
                    wrong[f"{role}: {line}"] = answer.status_code
    assert wrong == {}


def test_who_has_not_signed_in_is_sent_to_do_so() -> None:
    things = World().things()
    wrong = {}
    for line in LINES:
        with asked(Client(), line, things) as answer:
            sent_on = answer.status_code != SIGN_IN or answer["Location"].startswith(WAYS_IN)
            if answer.status_code != line.nobody or not sent_on:
                wrong[str(line)] = answer.status_code
    assert wrong == {}


def test_what_is_another_hospital_s_does_not_exist_and_the_attempt_is_kept() -> None:
    stranger, there = World().asha, World()
    things = there.things()
    names = (there.token.number, "Ravi", "Omar", there.facility.name)
    wrong = {}
    for line in LINES:
        if not line.of_a_hospital or line.nobody == OPEN or line.path.startswith("/t/"):
            continue
        before = Event.objects.count()
        with asked(stranger, line, things) as answer:
            kept = AccessAttempt.objects.filter(facility=there.facility).count()
            # Whole words: a form's random token may well have four letters of somebody's name in it.
            told = [name for name in names if re.search(rf"\b{re.escape(name)}\b", answer.content.decode())]
            if (answer.status_code, kept, told, Event.objects.count()) != (NOWHERE, 1, [], before):
                wrong[str(line)] = (answer.status_code, kept, told)
    assert wrong == {}


# The table and the site map


def patterns(found: list[Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Every address of ours: its pattern, and the name by which a line knows it."""
    for each in found:
        path = before + str(each.pattern)
        if path.startswith(ELSEWHERE):
            continue
        if isinstance(each, URLResolver):
            yield from patterns(each.url_patterns, path)
        elif isinstance(each, URLPattern):
            module = each.callback.__module__.rpartition(".")[2]
            yield path, each.name or f"{module}.{each.callback.__name__}"


def test_every_address_has_a_line() -> None:
    known = {name for _, name in patterns(get_resolver().url_patterns)}
    assert known == {line.view for line in LINES}


def test_every_step_and_every_change_has_a_line() -> None:
    def named(view: str) -> set[str]:
        return {line.named for line in LINES if line.view == view}

    assert {each.verb for each in STEPS} == named("token_step")
    assert set(CHANGES) == named("session") - {"the list of what can be done"}
    source = inspect.getsource(stepping)
    buttons = set(re.findall(r'^ +"([a-z-]+)": (?:self\._|queueing\.|supply\.)', source, re.MULTILINE))
    assert buttons | set(stepping.OF_SESSION) == named("console_step")


def test_every_role_of_the_hospital_is_asked() -> None:
    assert set(ROLES) - {"own-doctor"} | {"super-admin", "admin"} == set(SYSTEM_ROLES)
