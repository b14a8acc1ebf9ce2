"""Administrators change a patient by the same action as the desk, and see the same refusals."""

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from accounts.tests.factories import FacilityFactory, UserFactory
from patients.models import Patient
from patients.tests.factories import PatientFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(UserFactory(username="admin", roles=["admin"], facility=FacilityFactory()))
    return client


def save(client: Client, patient: Patient, read: int = 1, **changes: object):
    fields = ("name", "sex", "birth_date", "birth_year", "phone", "blood_group", "address")
    shown = {field: getattr(patient, field) or "" for field in fields}
    shown |= {"is_active": "on", "read": read} | changes
    return client.post(reverse("admin:patients_patient_change", args=[patient.pk]), shown)


def test_a_change_is_normalised_versioned_and_signed(client: Client) -> None:
    patient = PatientFactory()
    assert save(client, patient, phone="98765 43210", birth_year=1991).status_code == 302
    patient.refresh_from_db()
    assert (patient.phone, patient.birth_year, patient.version) == ("+919876543210", 1991, 2)
    event = apps.get_model("patients", "PatientEvent").objects.latest("pgh_id")
    assert event.pgh_context.metadata["url"].startswith("/admin/")


@pytest.mark.parametrize("change", [{"phone": "12"}, {"birth_year": 1700}, {"read": 7}, {"name": ""}])
def test_a_refusal_is_shown_in_the_form(client: Client, change: dict[str, object]) -> None:
    patient = PatientFactory()
    answer = save(client, patient, **change)  # type: ignore[arg-type]
    assert answer.status_code == 200
    assert answer.context["errors"]
    patient.refresh_from_db()
    assert patient.version == 1


def test_another_facilitys_patients_are_not_there(client: Client) -> None:
    theirs = PatientFactory(name="Theirs", facility=FacilityFactory(name="Lakeside Clinic"))
    assert "Theirs" not in client.get(reverse("admin:patients_patient_changelist")).content.decode()
    assert client.get(reverse("admin:patients_patient_change", args=[theirs.pk])).status_code == 302


def test_nobody_is_added_or_deleted_here(client: Client) -> None:
    assert client.get(reverse("admin:patients_patient_add")).status_code == 403
    patient = PatientFactory()
    assert client.post(reverse("admin:patients_patient_delete", args=[patient.pk]), {"post": "yes"}).status_code == 403


def test_the_history_can_be_read(client: Client) -> None:
    save(client, PatientFactory(), name="Kavita Joshi")
    shown = client.get(reverse("admin:patients_patientevent_changelist")).content.decode()
    assert shown.count("admin/patients/patientevent/") >= 2
