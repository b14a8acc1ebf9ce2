"""What the desk itself keeps: slips that were printed, what patients did themselves, whom it told, and visits."""

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


class Visit(models.Model):
    """A patient's day in a facility: it groups the tokens for which the patient came. Its bills are of type "visit".

    Opened when the first token of the day is both arrived and confirmed, in a facility that has billing settings.
    """

    facility = models.ForeignKey("accounts.Facility", models.PROTECT, related_name="visits", db_index=False)
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="visits", db_index=False)
    date = models.DateField(help_text="The date of the sessions, on the facility's calendar.")
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        ordering = ["-date", "-id"]
        indexes = [models.Index(fields=["facility", "date"], name="visit_of_day")]
        constraints = [models.UniqueConstraint(fields=["patient", "date", "facility"], name="visit_once_a_day")]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.patient_id}, {self.date}"


class VisitToken(models.Model):
    """A token belongs to a visit, and may have a consultation bill that is in force.

    Bills that were void or credited because the token lost its place are found by their lines, not here.
    """

    visit = models.ForeignKey(Visit, models.PROTECT, related_name="tokens")
    token = models.OneToOneField("tokens.Token", models.PROTECT, related_name="of_visit")
    bill = models.OneToOneField(
        "billing.Bill", models.PROTECT, null=True, related_name="of_token", help_text="The consultation bill in force."
    )

    class Meta:
        ordering = ["id"]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.visit_id}: {self.token_id}"
