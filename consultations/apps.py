"""The doctor's console."""

from django.apps import AppConfig


class ConsultationsConfig(AppConfig):
    """The doctor's floor."""

    name = "consultations"
    verbose_name = "Consultations"
