"""Everything that writes a patient: register, change, deactivate, mark as merged. Nobody is ever deleted."""

import datetime as dt
from typing import TypedDict, Unpack

from django.db import connection, transaction

from accounts.history import signed
from accounts.models import Facility, User
from accounts.permissions import reach, require
from common.api.etag import require_version
from common.errors import NotFound
from patients import phones, rules
from patients.errors import BirthNotValid, CannotMerge, NameMissing, PatientMerged
from patients.models import SERIAL_SEQUENCE, Patient
from patients.states import Sex


class Particulars(TypedDict, total=False):
    """What is known of a patient. ``age`` is in years, today, and stands for a year of birth."""

    name: str
    sex: str
    birth_date: dt.date | None
    birth_year: int | None
    age: int | None
    phone: str
    blood_group: str
    address: str
    is_active: bool


_PLAIN = ("sex", "blood_group", "address", "is_active")
_BIRTH = ("birth_date", "birth_year", "age")
_CHANGED = ("name", "phone", "birth_date", "birth_year", *_PLAIN, "merged_into", "version")
"""What is written of a record. Its number and serial never change; whoever wrote them, were it the same again, would
lock the row against all who refer to it, for with the trigger on names PostgreSQL takes the lock of a changed key."""


@transaction.atomic(savepoint=False)
def register_patient(
    *, facility: Facility, by: User | None, at: dt.datetime | None = None, **known: Unpack[Particulars]
) -> Patient:
    """Enter a new patient and give the next number.

    Args:
        facility: whose patient this is.
        by: who registers; nobody for commands.
        at: the moment of registration, now where none is given.

    Raises:
        PermissionDenied: 403.
        NameMissing, PhoneNotValid, BirthNotValid: 400.
    """
    if by is not None:
        require(by, "patients.edit", facility.pk)
    patient = Patient(facility=facility, sex=Sex.UNKNOWN)
    _apply(patient, {"name": "", **known}, today=facility.local_date(at))
    if at is not None:
        patient.created_at = at
    # Drawn last: what is refused above leaves no gap. A rollback later does, and no number is given twice.
    patient.serial = next_serial()
    patient.number = rules.patient_number(facility.local_date(at).year, patient.serial)
    with signed(by):
        patient.save(force_insert=True)
    return patient


@transaction.atomic(savepoint=False)
def update_patient(*, patient_id: int, by: User | None, read: int | None, **changes: Unpack[Particulars]) -> Patient:
    """Change what is known of a patient.

    Args:
        read: the version that the caller read; ``None`` takes any.

    Raises:
        NotFound: 404, also for a patient of a facility the caller has no part in, which is recorded.
        PreconditionFailed: 412, somebody changed the patient since.
        PatientMerged: 409.
        NameMissing, PhoneNotValid, BirthNotValid: 400.
    """
    patient = _lock(patient_id, by, "patients.edit")
    require_version(patient.version, read)
    if patient.merged_into_id:
        raise PatientMerged(number=patient.number, merged_into=patient.merged_into_id)
    _apply(patient, changes, today=patient.facility.local_date())
    return _save(patient, by)


def deactivate_patient(*, patient_id: int, by: User | None, read: int | None = None) -> Patient:
    """Take a patient out of lists and searches. The record, and what it is part of, stays.

    Raises:
        The same as ``update_patient``.
    """
    return update_patient(patient_id=patient_id, by=by, read=read, is_active=False)


@transaction.atomic(savepoint=False)
def mark_merged(*, patient_id: int, into_id: int, by: User | None) -> Patient:
    """Mark a record as the same person as another, which goes on alone. Its own records are moved by the caller.

    What was merged into it before follows, so that every record points at the one in use.

    Raises:
        NotFound: 404.
        PatientMerged: 409, one of the two is merged already.
        CannotMerge: 409, it is the same record, or one of another facility.
    """
    if patient_id == into_id:
        raise CannotMerge("A record cannot be merged into itself.", attr="into")
    # In the order of their ids, whichever way they are merged: two desks then wait and do not deadlock.
    locked = {each: _lock(each, by, "patients.merge") for each in sorted((patient_id, into_id))}
    patient, into = locked[patient_id], locked[into_id]
    for each in (patient, into):
        if each.merged_into_id:
            raise PatientMerged(number=each.number, merged_into=each.merged_into_id)
    if patient.facility_id != into.facility_id:
        raise CannotMerge("The records belong to two facilities.", attr="into")
    patient.merged_into = into
    patient.is_active = False
    with signed(by, merged_into=into_id):
        Patient.objects.filter(merged_into=patient).update(merged_into=into)
    return _save(patient, by)


def next_serial() -> int:
    """The next serial from the database's sequence: never given twice, whoever asks at the same moment."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s)", [SERIAL_SEQUENCE])
        serial: int = cursor.fetchone()[0]
    return serial


def _lock(patient_id: int, by: User | None, code: str) -> Patient:
    """The patient with its facility, locked until the transaction ends."""
    rows = Patient.objects.select_for_update(of=("self",), no_key=True).select_related("facility")
    patient = rows.filter(pk=patient_id).first()
    if patient is None:
        raise NotFound("There is no such patient.")
    if by is not None:
        reach(by, code, patient)
    return patient


def _apply(patient: Patient, changes: Particulars, *, today: dt.date) -> None:
    """Write checked and normalised particulars onto the row."""
    if "name" in changes:
        patient.name = rules.clean_name(changes["name"])
        if not patient.name:
            raise NameMissing(attr="name")
    if "phone" in changes:
        patient.phone = phones.normalise(changes["phone"], region=patient.facility.phone_region)
    if any(field in changes for field in _BIRTH):
        try:
            born = rules.birth(
                date=changes.get("birth_date"), year=changes.get("birth_year"), age=changes.get("age"), today=today
            )
        except ValueError as error:
            raise BirthNotValid(str(error), attr=next(field for field in _BIRTH if changes.get(field))) from error
        patient.birth_date, patient.birth_year = born.date, born.year
    for field in _PLAIN:
        if field in changes:
            setattr(patient, field, changes[field])  # type: ignore[literal-required]


def _save(patient: Patient, by: User | None) -> Patient:
    """Write the row as its next version. The caller holds its lock."""
    patient.version += 1
    with signed(by):
        patient.save(update_fields=_CHANGED)
    return patient
