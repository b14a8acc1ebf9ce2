"""The day and the month in figures; reads only."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """What a manager looks at."""

    name = "reports"
    verbose_name = "Reports"
