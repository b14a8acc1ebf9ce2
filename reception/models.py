"""What the desk itself keeps: which slips were printed, and what patients did themselves."""

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


class SelfService(models.Model):
    """A patient took a step: from the slip's link, or at the kiosk. Append-only.

    The engine's event of the same moment has no actor; this row says who it was. It is written in its transaction.
    """

    class Verb(models.TextChoices):
        """What patients may do."""

        REQUEST = "request", "Took a token"
        ARRIVE = "arrive", "Said that they are here"
        BACK = "back", "Came back from a test"
        RETURN = "return", "Came after all"
        CANCEL = "cancel", "Cancelled"

    class Via(models.TextChoices):
        """From where."""

        LINK = "link", "The slip's link"
        KIOSK = "kiosk", "The kiosk"

    token = models.ForeignKey("tokens.Token", models.PROTECT, related_name="self_service")
    verb = models.CharField(max_length=10, choices=Verb)
    at = models.DateTimeField(help_text="The same as that of the token's event.")
    via = models.CharField(max_length=10, choices=Via)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(via__in=["link", "kiosk"]), name="self_service_via_known"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.token_id}: {self.get_verb_display()}, {self.get_via_display()}"


class PatientTold(models.Model):
    """Somebody of the desk told a patient of a change that others brought about, or that it is time to be here.

    Both are told of the token's event `seq`, which gave the token its place.

    Who is still to be told is never stored: it follows from the events and these rows (`reception.to_tell`).
    """

    class About(models.TextChoices):
        """What a patient is told."""

        CHANGE = "change", "The place is another one"
        ABSENT = "absent", "Expected and not here"

    token = models.ForeignKey("tokens.Token", models.PROTECT, related_name="told")
    about = models.CharField(max_length=10, choices=About, default=About.CHANGE)
    seq = models.PositiveIntegerField(help_text="The event that the patient knows of now.")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["token", "seq", "about"], condition=models.Q(undone_at=None), name="told_once_of_an_event"
            ),
            models.CheckConstraint(condition=models.Q(about__in=["change", "absent"]), name="told_about_known"),
            models.CheckConstraint(
                condition=models.Q(undone_at=None, undone_by=None) | models.Q(undone_at__isnull=False),
                name="told_undone_at_a_moment",
            ),
        ]
        triggers = [pgtrigger.Protect(name="keep_told", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.token_id}/{self.seq}"
