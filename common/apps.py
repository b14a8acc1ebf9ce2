"""The ground floor: what every app stands on, without tables and without hospital words."""

from django.apps import AppConfig


class CommonConfig(AppConfig):
    """Registers the floor that knows no other."""

    name = "common"
    verbose_name = "Common"
