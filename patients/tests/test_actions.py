"""The registry's own promises: numbers, births, merging, history, and that nobody is ever deleted."""

import datetime as dt

import pytest
from django.apps import apps
from django.db import DatabaseError, IntegrityError, transaction

from accounts.errors import OutOfReach, PermissionDenied
from accounts.tests.factories import FacilityFactory, asha, meena
from common.errors import NotFound, PreconditionFailed
from common.testing.races import race_of
from patients.actions import deactivate_patient, mark_merged, register_patient, update_patient
from patients.errors import BirthNotValid, CannotMerge, NameMissing, PatientMerged, PhoneNotValid
from patients.models import Patient
from patients.tests.factories import PatientFactory


def events(patient: Patient):
    return apps.get_model("patients", "PatientEvent").objects.filter(pgh_obj_id=patient.pk).order_by("pgh_id")


@pytest.mark.django_db
class TestRegister:
    def test_a_patient_gets_a_number_and_a_normal_form(self) -> None:
        here = FacilityFactory()
        at = dt.datetime(2026, 3, 4, 10, tzinfo=dt.UTC)
        kavita = register_patient(
            facility=here, by=asha(here), at=at, name="  Kavita   Joshi ", phone="98765 43210", age=31
        )
        assert kavita.number == f"P-2026-{kavita.serial:06d}"
        assert (kavita.name, kavita.phone, kavita.birth_year) == ("Kavita Joshi", "+919876543210", 1995)
        assert (kavita.sex, kavita.version, kavita.is_active) == ("unknown", 1, True)

    def test_the_year_is_the_facilitys_own(self) -> None:
        at = dt.datetime(2026, 12, 31, 20, tzinfo=dt.UTC)  # already 2027 in India
        assert register_patient(facility=FacilityFactory(), by=None, at=at, name="A").number.startswith("P-2027-")

    def test_phones_are_read_as_the_facilitys_country_writes_them(self) -> None:
        london = FacilityFactory(name="London Clinic", phone_region="GB", time_zone="Europe/London")
        assert register_patient(facility=london, by=None, name="A", phone="020 7946 0958").phone == "+442079460958"

    @pytest.mark.parametrize(
        ("known", "error"),
        [
            ({"name": " "}, NameMissing),
            ({"name": "A", "phone": "12"}, PhoneNotValid),
            ({"name": "A", "birth_year": 1800}, BirthNotValid),
            ({"name": "A", "birth_date": dt.date(2999, 1, 1)}, BirthNotValid),
        ],
    )
    def test_what_cannot_be_is_refused(self, known: dict[str, object], error: type[Exception]) -> None:
        with pytest.raises(error), transaction.atomic():
            register_patient(facility=FacilityFactory(), by=None, **known)  # type: ignore[arg-type]

    def test_who_may_not_register_does_not(self) -> None:
        here = FacilityFactory()
        with pytest.raises(PermissionDenied), transaction.atomic():
            register_patient(facility=here, by=meena(here), name="A")


@pytest.mark.django_db
class TestUpdate:
    def test_only_what_is_named_changes(self) -> None:
        kavita = PatientFactory(name="Kavita", address="Lake Road")
        changed = update_patient(patient_id=kavita.pk, by=asha(), read=1, name="Kavita Joshi")
        assert (changed.name, changed.address, changed.phone, changed.version) == (
            "Kavita Joshi",
            "Lake Road",
            kavita.phone,
            2,
        )

    def test_a_stale_version_is_refused(self) -> None:
        kavita = PatientFactory()
        update_patient(patient_id=kavita.pk, by=None, read=1, name="First")
        with pytest.raises(PreconditionFailed), transaction.atomic():
            update_patient(patient_id=kavita.pk, by=None, read=1, name="Second")
        kavita.refresh_from_db()
        assert kavita.name == "First"

    def test_another_facilitys_patient_does_not_exist(self) -> None:
        theirs = PatientFactory(facility=FacilityFactory(name="Lakeside Clinic"))
        with pytest.raises(OutOfReach), transaction.atomic():
            update_patient(patient_id=theirs.pk, by=asha(), read=None, name="X")
        with pytest.raises(NotFound), transaction.atomic():
            update_patient(patient_id=10**17, by=asha(), read=None, name="X")

    def test_the_inactive_stay_and_come_back(self) -> None:
        kavita = PatientFactory()
        assert deactivate_patient(patient_id=kavita.pk, by=None).is_active is False
        assert update_patient(patient_id=kavita.pk, by=None, read=2, is_active=True).is_active is True


@pytest.mark.django_db
class TestMerge:
    def test_the_record_points_at_the_one_in_use(self) -> None:
        old, kept = PatientFactory(), PatientFactory()
        merged = mark_merged(patient_id=old.pk, into_id=kept.pk, by=asha())
        assert (merged.merged_into_id, merged.is_active) == (kept.pk, False)

    def test_what_was_merged_before_follows(self) -> None:
        first, second, third = PatientFactory(), PatientFactory(), PatientFactory()
        mark_merged(patient_id=first.pk, into_id=second.pk, by=None)
        mark_merged(patient_id=second.pk, into_id=third.pk, by=None)
        first.refresh_from_db()
        assert first.merged_into_id == third.pk

    def test_a_merged_record_changes_no_more(self) -> None:
        old, kept = PatientFactory(), PatientFactory()
        mark_merged(patient_id=old.pk, into_id=kept.pk, by=None)
        for refused in (
            lambda: update_patient(patient_id=old.pk, by=None, read=None, name="X"),
            lambda: mark_merged(patient_id=old.pk, into_id=kept.pk, by=None),
            lambda: mark_merged(patient_id=kept.pk, into_id=old.pk, by=None),
        ):
            with pytest.raises(PatientMerged), transaction.atomic():
                refused()

    def test_not_into_itself_and_not_across_facilities(self) -> None:
        here, there = PatientFactory(), PatientFactory(facility=FacilityFactory(name="Lakeside Clinic"))
        for into in (here, there):
            with pytest.raises(CannotMerge), transaction.atomic():
                mark_merged(patient_id=here.pk, into_id=into.pk, by=None)

    def test_needs_its_own_permission(self) -> None:
        here = FacilityFactory()
        with pytest.raises(PermissionDenied), transaction.atomic():
            mark_merged(patient_id=PatientFactory().pk, into_id=PatientFactory().pk, by=meena(here))


@pytest.mark.django_db
class TestTheDatabaseHoldsItToo:
    def test_nobody_is_deleted(self) -> None:
        kavita = PatientFactory()
        with pytest.raises(DatabaseError, match="Cannot delete"), transaction.atomic():
            kavita.delete()

    @pytest.mark.parametrize(
        "change",
        [
            {"name": ""},
            {"phone": "98765"},
            {"sex": "x"},
            {"number": "17"},
            {"birth_date": dt.date(1990, 1, 1), "birth_year": 1991},
        ],
    )
    def test_nonsense_is_not_stored(self, change: dict[str, object]) -> None:
        kavita = PatientFactory()
        with pytest.raises(IntegrityError), transaction.atomic():
            Patient.objects.filter(pk=kavita.pk).update(**change)

    def test_a_merged_record_is_not_active(self) -> None:
        kavita = PatientFactory()
        with pytest.raises(IntegrityError), transaction.atomic():
            Patient.objects.filter(pk=kavita.pk).update(merged_into=PatientFactory())

    def test_each_change_is_recorded_with_its_author(self) -> None:
        here = FacilityFactory()
        user = asha(here)
        kavita = register_patient(facility=here, by=user, name="Kavita")
        update_patient(patient_id=kavita.pk, by=user, read=1, name="Kavita Joshi")
        history = events(kavita)
        assert [event.name for event in history] == ["Kavita", "Kavita Joshi"]
        assert [event.pgh_context.metadata["user"] for event in history] == [user.pk, user.pk]
        with pytest.raises(DatabaseError), transaction.atomic():
            history.delete()


@pytest.mark.django_db(transaction=True)
def test_a_change_that_nobody_signed_is_recorded_too() -> None:
    kavita = PatientFactory()
    Patient.objects.filter(pk=kavita.pk).update(address="by hand")
    assert [(event.address, event.pgh_context) for event in events(kavita)] == [("", None), ("by hand", None)]


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def change(self, patient_id: int, index: int, read: int | None) -> Patient:
        return update_patient(patient_id=patient_id, by=None, read=read, address=f"desk {index}")

    def test_of_ten_who_read_the_same_version_one_saves(self) -> None:
        kavita = PatientFactory()
        outcomes = race_of(10, lambda index: self.change(kavita.pk, index, 1))
        assert len(outcomes.returned) == 1
        assert len(outcomes.of(PreconditionFailed)) == 9

    def test_without_the_version_they_overwrite_each_other(self) -> None:
        """The negative control: what decides above is the version."""
        kavita = PatientFactory()
        outcomes = race_of(10, lambda index: self.change(kavita.pk, index, None))
        assert len(outcomes.returned) == 10

    def test_two_merges_the_other_way_round_do_not_deadlock(self) -> None:
        for _ in range(5):
            one, two = PatientFactory(), PatientFactory()
            pairs = [(one, two), (two, one)] * 4
            outcomes = race_of(
                8,
                lambda index, pairs=pairs: mark_merged(
                    patient_id=pairs[index][0].pk, into_id=pairs[index][1].pk, by=None
                ),
            )
            assert len(outcomes.returned) == 1
            assert len(outcomes.of(PatientMerged)) == 7

    def test_numbers_from_the_sequence_are_never_the_same(self) -> None:
        here = FacilityFactory()
        outcomes = race_of(16, lambda index: register_patient(facility=here, by=None, name=f"Patient {index}"))
        assert len({patient.number for patient in outcomes.returned}) == 16

    def test_numbers_by_counting_are_the_same(self) -> None:
        """The negative control: max + 1, read by all before anyone has written."""
        from threading import Barrier

        here, all_have_read = FacilityFactory(), Barrier(8, timeout=30)

        def register(index: int) -> Patient:
            serial = (Patient.objects.order_by("-serial").values_list("serial", flat=True).first() or 0) + 1
            all_have_read.wait()
            return PatientFactory(facility=here, serial=serial, number=f"P-2026-{serial:06d}")

        outcomes = race_of(8, register)
        assert len(outcomes.returned) == 1
        assert len(outcomes.of(IntegrityError)) == 7
