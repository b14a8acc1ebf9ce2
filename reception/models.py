"""What the desk itself keeps: which slips were printed."""

import pgtrigger
from django.conf import settings
from django.db import models


class SlipPrint(models.Model):
    """A slip left the printer. The first one of a token is the slip, every other is marked as a copy. Append-only."""

    token = models.ForeignKey("tokens.Token", models.PROTECT, related_name="slip_prints")
    copy = models.PositiveIntegerField(help_text="0 for the slip itself, then 1, 2 ...")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["token", "copy"]
        constraints = [models.UniqueConstraint(fields=["token", "copy"], name="slip_copy_once_a_token")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.token_id}: {'slip' if self.copy == 0 else f'copy {self.copy}'}"
