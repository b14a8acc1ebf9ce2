from datetime import datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, F, Sum
from django.utils import timezone

from accounts.models import Facility, User, UserRole
from billing.models import Bill, CreditLimit, Shift
from billing.proof import prove
from billing.states import OWED
from patients.models import Patient
from reception.demo import STEPS, freshen, load
from reception.demo.known import demo_users
from reception.demo.people import DOCTORS, PASSWORD, POLICIES
from reception.to_tell import to_tell
from scheduling.models import Session, Slot
from tokens.events import replay
from tokens.models import Event, PolicyAssignment, Token
from tokens.simulation import checks
from tokens.states import Source, Status
from tokens.waits.knowledge import learn

KOLKATA = ZoneInfo("Asia/Kolkata")
DAY = timedelta(days=1)

pytestmark = pytest.mark.django_db


def at(hour, minute=0, day=21):
    return datetime(2026, 11, day, hour, minute, tzinfo=KOLKATA)


@pytest.mark.parametrize("now", [at(0, 10), at(23, 55)], ids="{:%H:%M}".format)
def test_whatever_the_hour_a_morning_is_in_progress_and_places_are_left(now):
    steps = []
    assert load(lambda: steps.append(1), now=now, patients=60, past=2 * DAY)
    assert len(steps) == STEPS - 12

    today = Session.objects.filter(facility__slug="sunrise", date=now.date())
    tokens = Token.objects.filter(session__in=today)
    assert set(tokens.values_list("status", flat=True)) == set(Status) - {Status.REQUESTED}
    assert set(tokens.values_list("source", flat=True)) == set(Source)
    assert today.filter(starts_at__lte=now, ends_at__gt=now + timedelta(hours=1)).count() >= 4
    assert not tokens.filter(requested_at__gt=now).exists()
    assert Slot.objects.filter(session__in=today, ends_at__gt=now, used__lt=F("capacity") + F("overbooked")).exists()
    assert replay()[2] == []
    assert checks.everything(Facility.objects.get(slug="sunrise").pk, now) == []


def test_the_hospital_has_what_the_tour_promises(django_user_model):
    django_user_model.objects.create_user("admin", "my own")
    load(now=at(10, 10))
    check_the_house()
    check_the_hall()
    check_the_money()
    check_that_yesterday_is_over()
    check_that_the_small_clinic_is_another_world()
    assert django_user_model.objects.get(username="admin").check_password("my own")
    assert django_user_model.objects.get(username="asha").check_password(PASSWORD)

    before = (Token.objects.count(), Patient.objects.count(), User.objects.count())
    assert not load(now=at(18))
    assert (Token.objects.count(), Patient.objects.count(), User.objects.count()) == before


def check_the_money():
    hospital = Facility.objects.get(slug="sunrise")
    today = at(0).date()
    bills = Bill.objects.filter(facility=hospital)
    assert bills.exclude(date=today).count() > 1_000
    of_today = bills.filter(date=today)
    states = set(of_today.values_list("status", flat=True))
    assert {"open", "part_paid", "paid", "void"} >= states >= {"open", "part_paid", "paid"}
    assert 4 <= of_today.filter(status="open").count() <= 25
    assert bills.filter(date__lt=today, status__in=OWED).count() <= 10
    assert of_today.filter(due__lt=0, status="paid").count() == 1
    shift = Shift.objects.get(facility=hospital, closed_at=None)
    assert (shift.cashier.username, shift.date) == ("meena", today)
    assert shift.payments.count() > 30
    assert Shift.objects.filter(facility=hospital, closed_at__isnull=False).count() == 14
    assert not Bill.objects.filter(facility__slug="lakeside").exists()
    limits = dict(CreditLimit.objects.values_list("role__slug", "percent"))
    assert limits == {"billing-staff": 50, "manager": 100}
    proof = prove(hospital)
    assert proof.balanced, proof


def check_the_house():
    hospital = Facility.objects.get(slug="sunrise")
    assert hospital.departments.count() == 5
    assert hospital.doctors.count() == len(DOCTORS) == 8
    assert hospital.patients.count() == 400
    assert set(PolicyAssignment.objects.values_list("policy__name", flat=True)) == set(POLICIES.values())
    dates = Session.objects.filter(facility=hospital).values_list("date", flat=True)
    assert (min(dates), max(dates)) == (at(0, day=7).date(), at(0, day=28).date())
    places = Slot.objects.filter(session__facility=hospital).aggregate(places=Sum("capacity"))["places"]
    assert places > 2_000


def check_the_hall():
    tokens = Token.objects.filter(session__facility__slug="sunrise")
    rao = tokens.filter(session__doctor__name="Dr Rao", session__date=at(10).date())
    assert rao.filter(away_to="X-ray", status=Status.IN_PROGRESS).count() == 1
    assert rao.filter(away_at=None, status=Status.IN_PROGRESS).count() == 1
    assert rao.filter(called_at__isnull=False, status=Status.CONFIRMED).count() == 1
    assert rao.filter(held_until__gt=at(10, 10)).count() == 1
    assert rao.filter(history__kind="displaced", status=Status.WAITLISTED).exists()
    assert tokens.filter(overbooked=True, source=Source.EMERGENCY).exists()
    assert Session.objects.filter(delay_minutes=20).count() == 1


def check_that_yesterday_is_over():
    yesterday = Session.objects.filter(facility__slug="sunrise", date=at(0, day=20).date())
    assert set(yesterday.values_list("status", flat=True)) == {"closed"}
    ends = {Status.COMPLETED, Status.NO_SHOW, Status.CANCELLED}
    assert set(Token.objects.filter(session__in=yesterday).values_list("status", flat=True)) == ends


def check_that_the_small_clinic_is_another_world():
    lakshmi = User.objects.get(username="lakshmi")
    clinic = Facility.objects.get(slug="lakeside")
    assert set(lakshmi.grants) == {clinic.pk}
    assert Token.objects.filter(session__facility=clinic).exists()


def test_the_sign_in_page_knows_whether_the_demo_is_loaded(settings):
    User.objects.create_user("admin", "my own")
    assert demo_users() == []
    load(now=at(10, 10), patients=60, past=DAY)
    names = [member.username for member in demo_users()]
    assert names == ["admin", "asha", "rao", "meena", "john", "lata", "vikram"]
    assert User.objects.get(username="admin").has_perm("admin.enter")
    settings.PRODUCTION = True
    assert demo_users() == []


def test_production_refuses_the_demo(settings):
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="never loaded in production"):
        call_command("load_demo", verbosity=0)
    assert not Facility.objects.filter(slug="sunrise").exists()


def test_the_past_knows_every_doctor_and_patients_return():
    now = at(10, 10)
    load(now=now, patients=120, past=10 * DAY)
    facility = Facility.objects.get(slug="sunrise")
    past = Token.objects.filter(session__facility=facility, session__date__lt=now.date())
    assert set(past.values_list("status", flat=True)) == {Status.COMPLETED, Status.NO_SHOW, Status.CANCELLED}
    minutes = {}
    for doctor in facility.doctors.all():
        seen = past.filter(session__doctor=doctor, status=Status.COMPLETED)
        minutes[doctor.name] = median((t.ended_at - t.started_at).total_seconds() / 60 for t in seen)
        assert learn((facility.pk, doctor.department_id, doctor.pk), now).visits.most_common(1)[0][1] > 1
    assert len(minutes) == len(DOCTORS)
    assert minutes["Dr Imran Khan"] < minutes["Dr Rao"] < minutes["Dr Anjali Nair"]
    kinds = Event.objects.filter(token__in=past).values_list("kind", flat=True)
    assert {"displaced", "promoted", "no_show", "returned", "cancelled", "completed"} <= set(kinds)
    returned = past.filter(status=Status.COMPLETED).values("session__doctor", "patient").annotate(visits=Count("id"))
    assert returned.filter(visits__gt=1).count() > 40


def test_by_the_clock_there_is_somebody_to_tell_of_everything_that_can_be():
    load(patients=60, past=timedelta())
    untold = to_tell(Facility.objects.get(slug="sunrise"))
    assert {one.kind for one in untold} == {"displaced", "promoted", "cancelled", "moved"}
    assert len(untold) < 25


def test_where_the_demo_became_somebody_s_own_it_is_left_as_it_is(capsys):
    load(now=timezone.now() - 2 * DAY, patients=60, past=timedelta())
    UserRole.objects.filter(user__username="asha").delete()
    count = Event.objects.count()
    call_command("load_demo", starting=True)
    assert "was left as it is" in capsys.readouterr().out
    assert Event.objects.count() == count


def test_without_the_demo_there_is_nothing_to_freshen():
    assert not freshen(now=at(10))
