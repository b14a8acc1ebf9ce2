"""Who serves, where and when."""

from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    """The app of schedules."""

    name = "scheduling"
    verbose_name = "Schedules"
