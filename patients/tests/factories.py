"""Patients for tests, each registered with a number of its own."""

from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts.tests.factories import FacilityFactory
from patients import rules
from patients.actions import next_serial
from patients.models import Patient


class PatientFactory(DjangoModelFactory[Patient]):
    """A patient of Sunrise Hospital."""

    class Meta:
        model = Patient

    facility = factory.SubFactory(FacilityFactory)
    name = factory.Sequence(lambda n: f"Patient {n}")
    phone = factory.Sequence(lambda n: f"+9198{n % 100_000_000:08d}")
    birth_year = 1980

    @classmethod
    def _create(cls, model_class: type[Patient], *args: Any, **kwargs: Any) -> Patient:
        kwargs.setdefault("serial", next_serial())
        kwargs.setdefault("number", rules.patient_number(timezone.now().year, kwargs["serial"]))
        patient: Patient = super()._create(model_class, *args, **kwargs)
        return patient
