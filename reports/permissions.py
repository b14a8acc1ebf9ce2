"""What the reports allow."""

from accounts.permissions import register

register("reports.view", "See the reports of the day and the month", roles=["manager"])
