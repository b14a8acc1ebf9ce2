"""The desk: the screens of reception, and the workflows that cross apps."""

from django.apps import AppConfig


class ReceptionConfig(AppConfig):
    """The receptionist's floor."""

    name = "reception"
    verbose_name = "Reception"
