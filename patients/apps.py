"""Who comes: the registry of patients."""

from django.apps import AppConfig


class PatientsConfig(AppConfig):
    """The registry of patients."""

    name = "patients"
    verbose_name = "Patients"
