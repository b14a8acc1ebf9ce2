"""The project itself as a Django app, for its management commands."""

from django.apps import AppConfig


class EngineConfig(AppConfig):
    """Brings ``manage.py serve`` and its kind."""

    name = "opd_engine"
    verbose_name = "OPD engine"
