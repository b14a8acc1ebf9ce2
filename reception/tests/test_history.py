"""The loader of the past: what it writes is what the engine and the cashiers would have written."""

from collections import Counter as Tally
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction
from django.db.models import F, Sum

from accounts.models import Facility
from accounts.permissions import allows
from billing.models import (
    Bill,
    Counter,
    CreditNote,
    LedgerEntry,
    LedgerTransaction,
    Payment,
    Receipt,
    Refund,
    Shift,
)
from billing.proof import prove
from billing.states import Method
from common.errors import BadInput
from reception.demo.loading import NotInProduction
from reception.history import DaysTaken, Plan, load_history
from reception.history.crowd import shares
from reception.models import Visit, VisitToken
from scheduling.models import Session
from scheduling.tests.factories import DoctorFactory
from tokens.events import replay
from tokens.models import Event, Token
from tokens.simulation import checks
from tokens.states import Source, Status

pytestmark = pytest.mark.django_db

UNTIL = date(2026, 3, 14)


def plan(**changes):
    return Plan(**{"visits": 240, "days": 6, "until": UNTIL, "facility": "past", "seed": 7} | changes)


def test_what_it_writes_is_what_the_rules_allow():
    told = []
    loaded = load_history(plan(), told.append)
    facility = Facility.objects.get(slug="past")

    assert told == sorted(told)
    assert told[-1] == loaded.visits == Visit.objects.count()
    assert abs(loaded.visits - 240) < 24
    assert replay()[2] == []
    after = Session.objects.latest("ends_at").ends_at + timedelta(days=1)
    assert checks.everything(facility.pk, after) == []
    assert set(Token.objects.values_list("source", flat=True)) == set(Source)
    assert set(Token.objects.values_list("status", flat=True)) == {
        Status.COMPLETED,
        Status.CANCELLED,
        Status.NO_SHOW,
    }
    assert not Session.objects.exclude(status="closed").exists()
    assert {"displaced", "promoted", "arrived"} <= set(Event.objects.values_list("kind", flat=True))


def test_its_money_agrees_to_the_last_coin():
    loaded = load_history(plan())
    facility = Facility.objects.get(slug="past")

    assert prove(facility).balanced
    assert loaded.bills == Bill.objects.count()
    assert loaded.payments == Payment.objects.count()
    assert loaded.refunds == Refund.objects.count() > 0
    assert loaded.entries == LedgerEntry.objects.count()
    assert set(Payment.objects.values_list("method", flat=True)) >= set(Method) - {Method.ACCOUNT}
    assert {"open", "paid"} <= set(Bill.objects.values_list("status", flat=True))
    assert not Bill.objects.filter(status="draft").exists()
    taken = Payment.objects.aggregate(sum=Sum(F("amount") - F("refunded")))["sum"]
    advances = Payment.objects.filter(bill=None).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    assert Bill.objects.aggregate(sum=Sum("paid"))["sum"] == taken - advances


def test_who_did_what_is_who_may():
    """The clinic itself bills consultations and credits them; what is billed by hand is a cashier's."""
    load_history(plan())
    visits, by_hand = Bill.objects.filter(billable_type="visit"), Bill.objects.exclude(billable_type="visit")
    assert set(visits.values_list("created_by", flat=True)) == {None}
    assert all(allows(bill.created_by, "billing.discount", bill.facility_id) for bill in by_hand)
    notes = CreditNote.objects.all()
    assert set(notes.filter(bill__in=visits).values_list("by", flat=True)) == {None}
    assert all(allows(note.by, "billing.credit", note.facility_id) for note in notes.filter(bill__in=by_hand))


def test_numbers_have_no_gaps():
    load_history(plan())
    given = Tally()
    for numbers in (
        Bill.objects.values_list("number", flat=True),
        Receipt.objects.values_list("number", flat=True),
    ):
        for number in numbers:
            letter, year, _ = number.split("-")
            given[letter, int(year)] += 1
    for counter in Counter.objects.exclude(kind="C"):
        assert counter.last == given[counter.kind, counter.year]
    last = Bill.objects.order_by("number").last()
    assert last.number == f"B-2026-{Bill.objects.count():06d}"
    by_number = list(Bill.objects.order_by("number").values_list("issued_at", flat=True))
    assert by_number == sorted(by_number)


def test_every_drawer_is_counted_and_closed():
    load_history(plan())
    assert not Shift.objects.filter(closed_at=None).exists()
    assert set(Tally(Shift.objects.values_list("date", flat=True)).values()) == {3}
    assert not Shift.objects.exclude(counted=F("expected")).filter(reason="").exists()
    moved = Payment.objects.filter(shift__closed_at__lte=F("at"))
    assert not moved.exists()
    assert not Payment.objects.filter(at__lt=F("shift__opened_at")).exists()


def test_who_came_and_had_a_place_has_a_visit_and_who_was_seen_a_bill():
    load_history(plan())
    seen = Token.objects.filter(status=Status.COMPLETED)
    assert not seen.filter(of_visit=None).exists()
    assert not VisitToken.objects.filter(token__in=seen, bill=None).exists()
    assert not VisitToken.objects.filter(bill__status="void").exists()
    assert not VisitToken.objects.exclude(token__patient=F("visit__patient")).exists()
    assert not Token.objects.filter(status=Status.NO_SHOW, of_visit__isnull=False).exists()


def test_the_same_seed_makes_the_same_past_and_another_one_another():
    pasts = []
    for slug, seed in (("past", 7), ("other", 7), ("third", 8)):
        load_history(plan(facility=slug, seed=seed, visits=60, days=2))
        bills = Bill.objects.filter(facility__slug=slug).order_by("number")
        pasts.append(
            (
                list(bills.values_list("number", "total", "paid", "status", "issued_at")),
                list(
                    Token.objects.filter(session__facility__slug=slug)
                    .order_by("id")
                    .values_list("number", "status", "source", "requested_at", "started_at")
                ),
            )
        )
    assert pasts[0] == pasts[1] != pasts[2]


def test_it_never_writes_where_days_have_a_past():
    load_history(plan(visits=30, days=2))
    with pytest.raises(DaysTaken):
        load_history(plan(visits=30, days=1, until=UNTIL - timedelta(days=1)))
    before = load_history(plan(visits=30, days=2, until=UNTIL - timedelta(days=7)))
    assert before.visits
    assert prove(Facility.objects.get(slug="past")).balanced
    assert replay()[2] == []


def test_it_is_refused_in_production_and_for_days_to_come(settings):
    with pytest.raises(BadInput):
        load_history(plan(visits=0))
    with pytest.raises(BadInput):
        load_history(plan(until=date(2100, 1, 1)))
    settings.PRODUCTION = True
    with pytest.raises(NotInProduction):
        load_history(plan())
    with pytest.raises(CommandError, match="production"):
        call_command("load_history", "--visits=10", "--days=1", verbosity=0)
    assert not Facility.objects.filter(slug__in=["past", "history"]).exists()


def test_a_facility_that_is_there_keeps_what_it_has():
    facility = DoctorFactory(consultation_fee=300).facility
    load_history(plan(facility=facility.slug, visits=40, days=2))
    assert set(Session.objects.values_list("doctor", flat=True)) == {facility.doctors.get().pk}
    assert prove(facility).balanced


def test_triggers_and_constraints_are_at_work_in_it():
    """A row that life would refuse is refused here too: nothing was switched off, and nothing is afterwards."""
    load_history(plan(visits=30, days=1))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_trigger WHERE tgenabled = 'D'")
        assert cursor.fetchone() == (0,)
        cursor.execute("SHOW session_replication_role")
        assert cursor.fetchone() == ("origin",)
    for table, row in (("payment", Payment), ("ledgerentry", LedgerEntry), ("ledgertransaction", LedgerTransaction)):
        with pytest.raises(ProgrammingError, match="pgtrigger"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM billing_{table} WHERE id = %s", [row.objects.order_by("id").first().pk])


def test_the_share_of_a_day_follows_the_week():
    days = [date(2026, 3, 2) + timedelta(days=n) for n in range(7)]
    found = shares(days, Random(1))
    assert round(sum(found.values()), 9) == 1
    assert days[6] not in found
    assert found[days[0]] > found[days[5]]
    assert shares([days[6]], Random(1)) == {days[6]: 1}
