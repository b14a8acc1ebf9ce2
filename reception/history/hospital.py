"""Where the past takes place: a hospital of its own, or one that is there already, and who works in it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import ceil
from typing import Any

from django.db import connection
from django.db.models import Q

from accounts.actions import give_role
from accounts.models import Facility, User
from billing.models import BillingSettings, Drawer, Price, TaxRate
from billing.queries.prices import price_list
from billing.rules import LineIn
from patients.models import SERIAL_SEQUENCE
from patients.rules import patient_number
from reception.demo.people import DOCTORS, POLICIES
from reception.demo.people import patients as people
from reception.history.counting import Ids
from reception.history.money import Fees, Terms
from reception.history.writing import copy
from scheduling.models import Department, Doctor, Room
from tokens.facts import Policy
from tokens.models import AllocationPolicy, PolicyAssignment
from tokens.reading import ASSIGNED, NEAREST, policy_of

CASHIERS = 3
A_DOCTOR_A_DAY = 28
VISITS_A_PATIENT = 4
LEAST_PATIENTS = 60

_PRICES = (
    ("blood-count", "Complete blood count", "test_order", "320.00", ""),
    ("blood-sugar", "Blood sugar, fasting", "test_order", "110.00", ""),
    ("lipids", "Lipid profile", "test_order", "640.00", ""),
    ("chest-x-ray", "Chest X-ray", "test_order", "450.00", ""),
    ("ultrasound", "Ultrasound, abdomen", "test_order", "1250.00", ""),
    ("ecg", "ECG", "test_order", "280.00", ""),
    ("paracetamol", "Paracetamol 500 mg", "medicine", "2.35", "GST 12 %"),
    ("amoxicillin", "Amoxicillin 500 mg", "medicine", "8.90", "GST 12 %"),
    ("insulin", "Insulin, 10 ml", "medicine", "164.75", "GST 5 %"),
    ("dressing", "Dressing", "service", "150.00", ""),
)
_TAXES = {"GST 12 %": Decimal(12), "GST 5 %": Decimal(5)}


@dataclass(frozen=True)
class Post:
    """A doctor at work: where, and by which policy places are decided."""

    doctor_id: int
    department_id: int
    room_id: int
    user_id: int | None
    policy: Policy


@dataclass(frozen=True)
class Ground:
    """All that the days of the past need to know of the hospital.

    Attributes:
        clerk: the id of who stands at the desk.
        tills: (cashier, drawer).
    """

    facility: Facility
    posts: Sequence[Post]
    patients: Sequence[int]
    clerk: int
    tills: Sequence[tuple[int, int]]
    terms: Terms


def ground(facility: Facility, *, visits: int, first: date) -> Ground:
    """What there is, and what a hospital lacks of it: staff, drawers, prices and patients are added."""
    clerk = _person(facility, "desk", "reception")
    cashiers = [_person(facility, f"cashier-{n + 1}", "billing-staff") for n in range(CASHIERS)]
    # Drawers of their own: at the others somebody may have an open shift now.
    drawers = [
        Drawer.objects.get_or_create(facility=facility, name=f"Drawer {n + 1} of earlier days")[0]
        for n in range(CASHIERS)
    ]
    posts = list(_posts(facility))
    return Ground(
        facility=facility,
        posts=posts,
        patients=_patients(facility, max(LEAST_PATIENTS, visits // VISITS_A_PATIENT), first),
        clerk=clerk.pk,
        tills=[(cashier.pk, drawer.pk) for cashier, drawer in zip(cashiers, drawers, strict=True)],
        terms=_terms(facility, posts, first),
    )


def open_hospital(slug: str, *, visits_a_day: float) -> Facility:
    """A hospital of its own, with as many doctors as that many visits a day need."""
    facility = Facility.objects.create(slug=slug, name=f"{slug.replace('-', ' ').capitalize()} hospital")
    presets = {policy.name: policy for policy in AllocationPolicy.objects.filter(facility=None)}
    departments = []
    for name, policy in POLICIES.items():
        department = Department.objects.create(facility=facility, name=name, code=name[:4].lower())
        PolicyAssignment.objects.create(department=department, policy=presets[policy])
        departments.append(department)
    for number in range(max(2, ceil(visits_a_day / A_DOCTOR_A_DAY))):
        plan = DOCTORS[number % len(DOCTORS)]
        department = next(each for each in departments if each.name == plan.department)
        again = f" {number // len(DOCTORS) + 1}" if number >= len(DOCTORS) else ""
        Doctor.objects.create(
            facility=facility,
            department=department,
            name=plan.name + again,
            consultation_fee=Decimal(plan.fee),
            hospital_fee=Decimal(100),
        )
    BillingSettings.objects.create(facility=facility, priority_fee=Decimal("200.00"))
    return facility


def _person(facility: Facility, what: str, role: str) -> User:
    """Somebody who works there; nobody can sign in as them."""
    user, new = User.objects.get_or_create(
        username=f"{facility.slug}-{what}", defaults={"name": what.replace("-", " ").capitalize()}
    )
    if new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    give_role(user=user, role=role, facility=facility)
    return user


def _posts(facility: Facility) -> Iterator[Post]:
    """Each doctor in a room where nobody else is."""
    taken: set[int] = set()
    doctors = Doctor.objects.filter(facility=facility, is_active=True).order_by("pk")
    rooms = list(Room.objects.filter(facility=facility, is_active=True).order_by("pk"))
    for number, doctor in enumerate(doctors.prefetch_related("schedule_lines")):
        own = [line.room_id for line in doctor.schedule_lines.all()]
        free = [room.pk for room in rooms if room.pk not in taken]
        room_id = next((room for room in (*own, *free) if room not in taken), None)
        if room_id is None:
            room_id = Room.objects.create(facility=facility, name=f"Room {len(rooms) + number + 1}").pk
        taken.add(room_id)
        yield Post(doctor.pk, doctor.department_id, room_id, doctor.user_id, _policy(doctor))


def _policy(doctor: Doctor) -> Policy:
    """The policy that decides for a doctor, as the engine finds it."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT row_to_json(p)::text
              FROM (SELECT %s::bigint AS doctor_id, %s::bigint AS department_id, %s::bigint AS facility_id) s
              JOIN tokens_policyassignment a ON {ASSIGNED} JOIN tokens_allocationpolicy p ON p.id = a.policy_id
             ORDER BY {NEAREST} LIMIT 1""",  # noqa: S608 - built from constants of the engine
            [doctor.pk, doctor.department_id, doctor.facility_id],
        )
        row = cursor.fetchone()
    return policy_of(row[0] if row else None)


def _terms(facility: Facility, posts: Sequence[Post], first: date) -> Terms:
    rules = BillingSettings.objects.filter(facility=facility).first() or BillingSettings.objects.create(
        facility=facility
    )
    doctors = Doctor.objects.filter(pk__in=[post.doctor_id for post in posts])
    return terms_of(rules, doctors, _prices(facility, posts[0].department_id if posts else None, first))


def terms_of(rules: BillingSettings, doctors: Iterable[Doctor], prices: Sequence[LineIn], **habits: Any) -> Terms:
    """What a facility has decided about money, as its days are played by it.

    Args:
        rules: the row need not be stored yet.
        habits: how late its patients pay, where it is not as everywhere (`late`, `never`, `late_days`).
    """
    return Terms(
        facility_id=rules.facility_id,
        currency=rules.facility.currency,
        priority_fee=rules.priority_fee,
        follow_up_free_days=rules.follow_up_free_days,
        hospital_fee_once=rules.hospital_fee_once,
        refund_full_hours=rules.refund_full_hours,
        refund_later_percent=Decimal(rules.refund_later_percent),
        fees={
            each.pk: Fees(each.name, each.department_id, each.consultation_fee, each.hospital_fee) for each in doctors
        },
        prices=prices,
        **habits,
    )


def _prices(facility: Facility, department_id: int | None, first: date) -> list[LineIn]:
    """What the laboratory and the pharmacy sell; a hospital without prices gets some."""
    if not Price.objects.filter(facility=facility).exists():
        taxes = {
            name: TaxRate.objects.create(facility=facility, name=name, percent=percent, valid_from=first)
            for name, percent in _TAXES.items()
        }
        for code, name, what, amount, tax in _PRICES:
            Price.objects.create(
                facility=facility, code=code, name=name, item_type=what, amount=Decimal(amount), valid_from=first,
                tax=taxes.get(tax), department_id=department_id,
            )  # fmt: skip
    return [
        LineIn(
            description=price.name,
            unit_price=price.amount,
            tax_percent=price.tax.percent if price.tax else Decimal(0),
            tax_included=bool(price.tax and price.tax.included),
            item_type=price.item_type,
            item_id=price.item_id,
            department_id=price.department_id,
        )
        for price in price_list(facility.pk, facility.local_date())
    ]


def _patients(facility: Facility, wanted: int, first: date) -> list[int]:
    """The ids of the registry's patients; whoever is missing was registered in the month before the first day."""
    ids = list(facility.patients.filter(Q(is_active=True)).order_by("pk").values_list("pk", flat=True))
    missing = max(0, wanted - len(ids))
    if missing:
        ids += _register(facility, missing, first)
    return ids


_PATIENT = (
    "id", "facility_id", "serial", "number", "name", "search_name", "search_sound", "sex", "birth_year", "phone",
    "blood_group", "address", "is_active", "version", "created_at",
)  # fmt: skip


def _register(facility: Facility, count: int, first: date) -> list[int]:
    source = Ids("patients_patient")
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s) FROM generate_series(1, %s)", [SERIAL_SEQUENCE, count])
        serials = [row[0] for row in cursor.fetchall()]
    ids = [next(source) for _ in serials]
    begins = datetime(first.year, first.month, first.day, tzinfo=facility.tz) - timedelta(days=30)
    rows = (
        (number, facility.pk, serial, patient_number(begins.year, serial), person.name, "", "", person.sex,
         min(person.birth_year, begins.year), person.phone, "", person.address, True, 1,
         begins + timedelta(days=29) * (index / count))
        for index, (number, serial, person) in enumerate(
            zip(ids, serials, people(begins.year, count), strict=True)
        )
    )  # fmt: skip
    copy("patients_patient", _PATIENT, rows)
    return ids
