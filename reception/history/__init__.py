"""The past of a large hospital in a few minutes: what reports and pages are tried on."""

from reception.history.loading import DaysTaken, Loaded, Plan, load_history

__all__ = ["DaysTaken", "Loaded", "Plan", "load_history"]
