"""Facilities, users, roles and permissions as data, devices, and what sign-in and the API must remember.

A person holds any number of roles, each for one facility or for all; a role holds any number of permissions, whose
codes carry the app's name (``tokens.mark_paid``). Nothing here knows what the codes mean: each app declares its own
in its ``permissions.py``, and ``accounts.permissions`` is the one function that decides.
"""

import datetime as dt
import uuid
import zoneinfo
from collections.abc import Callable, Collection
from functools import cached_property
from typing import Any, ClassVar, TypeVar

import pghistory
import pgtrigger
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from knox.models import AbstractAuthToken

from common.currencies import OTHERS, has_two_decimals

M = TypeVar("M", bound=models.Model)


def recorded(*, exclude: Collection[str] = ()) -> Callable[[type[M]], type[M]]:
    """Keep the history of a table in another one beside it, written by triggers: whatever changes a row is recorded."""
    return pghistory.track(
        pghistory.InsertEvent(),
        pghistory.UpdateEvent(),
        pghistory.DeleteEvent(),
        exclude=list(exclude),
        append_only=True,
    )


class Language(models.TextChoices):
    """The languages that patients are spoken to in. A new one needs a translation, and its line here."""

    ENGLISH = "en", "English"
    HINDI = "hi", "हिन्दी (Hindi)"
    ARABIC = "ar", "العربية (Arabic)"


def english() -> list[str]:
    """The languages of a facility that has chosen none."""
    return [Language.ENGLISH.value]


def validate_languages(chosen: list[str]) -> None:
    """Refuse an empty list, and a language named twice."""
    if not chosen:
        raise ValidationError("Choose at least one language.")
    if len(set(chosen)) < len(chosen):
        raise ValidationError("Name each language once.")


def validate_time_zone(name: str) -> None:
    """Refuse a name that the time zone database does not know."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError("%(name)s is not a time zone, such as Asia/Kolkata.", params={"name": name})


# Only where it is chosen: a house that has another one from before goes on.
_CURRENCY_OF_TWO_DECIMALS = f"""
IF (TG_OP = 'INSERT' OR NEW.currency IS DISTINCT FROM OLD.currency)
   AND NEW.currency IN ({", ".join(f"'{code}'" for code in sorted(OTHERS))}) THEN
    RAISE EXCEPTION 'amounts in % have not two decimals', NEW.currency USING ERRCODE = 'check_violation';
END IF;
RETURN NEW;
"""


@recorded()
class Facility(models.Model):
    """A hospital or clinic: its time zone decides what "today" is, its region how a phone number is read."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=50, unique=True)
    time_zone = models.CharField(max_length=64, default="Asia/Kolkata", validators=[validate_time_zone])
    currency = models.CharField(
        max_length=3, default="INR", validators=[RegexValidator(r"^[A-Z]{3}$", "Three capital letters, such as INR.")]
    )
    phone_region = models.CharField(
        max_length=2,
        default="IN",
        validators=[RegexValidator(r"^[A-Z]{2}$", "Two capital letters, such as IN.")],
        help_text="The country whose phone numbers are written here without a country code.",
    )
    is_active = models.BooleanField(default=True)
    show_names_on_board = models.BooleanField(
        default=False, help_text="Show patients' names on public screens. Off, screens show token numbers only."
    )
    languages = ArrayField(
        models.CharField(max_length=5, choices=Language.choices),
        default=english,
        validators=[validate_languages],
        help_text="What patients read and hear, the first one first.",
    )

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "facilities"
        constraints = [
            models.CheckConstraint(condition=models.Q(currency__regex="^[A-Z]{3}$"), name="facility_currency_code"),
            models.CheckConstraint(condition=models.Q(languages__len__gt=0), name="facility_speaks_a_language"),
        ]
        triggers = [
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="currency_of_two_decimals",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("currency"),
                when=pgtrigger.Before,
                func=_CURRENCY_OF_TWO_DECIMALS,
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a currency that is chosen now and whose amounts have not two decimals."""
        kept = type(self).objects.filter(pk=self.pk, currency=self.currency).exists()
        if not kept and not has_two_decimals(self.currency):
            raise ValidationError(
                {"currency": "Amounts are kept with two decimals. Choose a currency that has two, such as INR or USD."}
            )

    @cached_property
    def tz(self) -> zoneinfo.ZoneInfo:
        """The facility's time zone."""
        return zoneinfo.ZoneInfo(self.time_zone)

    def local_date(self, at: dt.datetime | None = None) -> dt.date:
        """The facility's date at a moment, now where none is given."""
        return timezone.localtime(at, self.tz).date()


class UserManager(BaseUserManager["User"]):
    """Makes users with a hashed password."""

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> "User":
        """A user who may sign in; without a password only once one is set."""
        user = self.model(username=self.model.normalize_username(username), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> "User":
        """A user whom every permission is given, roles or not. ``manage.py createsuperuser`` calls this."""
        return self.create_user(username, password, is_superuser=True, **fields)


@recorded(exclude=["password", "last_login"])
class User(AbstractBaseUser):  # type: ignore[django-manager-missing]  # devices: knox's manager has no types
    """A person or a device that signs in. What it may do comes from its roles alone.

    Django's own groups and user permissions are left out on purpose: they would be a second way to the same rights.
    """

    username = models.CharField(max_length=150, unique=True, validators=[UnicodeUsernameValidator()])
    name = models.CharField(max_length=150, blank=True)
    email = models.EmailField(blank=True)
    is_active = models.BooleanField(default=True, help_text="Switch off instead of deleting.")
    is_superuser = models.BooleanField(default=False, help_text="Holds every permission in every facility.")
    date_joined = models.DateTimeField(default=timezone.now, editable=False)
    roles: models.ManyToManyField = models.ManyToManyField("Role", through="UserRole", related_name="users")

    objects = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ["username"]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]
        constraints = [models.UniqueConstraint(Lower("username"), name="username_once_in_any_case")]

    def __str__(self) -> str:
        return self.name or self.username

    def get_full_name(self) -> str:
        """The name shown to people."""
        return str(self)

    def get_short_name(self) -> str:
        """The name shown where there is little room."""
        return str(self).split(" ")[0]

    @cached_property
    def grants(self) -> dict[int | None, frozenset[str]]:
        """Permission codes by facility, ``None`` for those held everywhere. Device sign-in brings them along."""
        from accounts.queries import grants_of

        return grants_of(self.pk)

    @property
    def is_staff(self) -> bool:
        """Whether the admin site lets this person in."""
        return self.has_perm("admin.enter")

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Django's question, answered by ``accounts.permissions``."""
        from accounts.permissions import answers_django

        return answers_django(self, perm)

    def has_perms(self, perm_list: list[str], obj: Any = None) -> bool:
        """Whether every one of the permissions is held."""
        return all(self.has_perm(perm) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        """Whether the admin shows anything of an app."""
        from accounts.permissions import answers_django_module

        return answers_django_module(self, app_label)


@recorded()
class Permission(models.Model):
    """One thing that may be allowed. The rows come from the apps' declarations, and describe them to administrators."""

    code = models.CharField(max_length=80, unique=True)
    name = models.CharField(max_length=150)

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=models.Q(code__regex=r"^[a-z_]+\.[a-z_]+$"), name="permission_code_form")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"

    @property
    def module(self) -> str:
        """The app that the code belongs to."""
        return self.code.partition(".")[0]


_SYSTEM_ROLE_STAYS = """
IF OLD.is_system AND (TG_OP = 'DELETE'
   OR (NEW.slug, NEW.name, NEW.is_system, NEW.is_active) IS DISTINCT FROM (OLD.slug, OLD.name, TRUE, TRUE)) THEN
    RAISE EXCEPTION 'the system role % cannot be deleted, renamed or switched off', OLD.slug
        USING ERRCODE = 'check_violation';
END IF;
IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
RETURN NEW;
"""


@recorded()
class Role(models.Model):
    """A named set of permissions. Hospitals make as many as they like; system roles are there from the start."""

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=80, unique=True)
    description = models.CharField(max_length=250, blank=True)
    is_system = models.BooleanField(default=False, editable=False)
    is_active = models.BooleanField(default=True, help_text="A role that is off gives nothing to those who hold it.")
    permissions: models.ManyToManyField = models.ManyToManyField(
        Permission, through="RolePermission", related_name="roles"
    )

    class Meta:
        ordering = ["name"]
        triggers = [
            pgtrigger.Trigger(
                name="system_role_stays",
                operation=pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                func=_SYSTEM_ROLE_STAYS,
            )
        ]

    def __str__(self) -> str:
        return self.name


@recorded()
class RolePermission(models.Model):
    """A role holds a permission."""

    role = models.ForeignKey(Role, models.CASCADE)
    permission = models.ForeignKey(Permission, models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["role", "permission"], name="role_permission_once")]

    def __str__(self) -> str:
        return f"{self.role}: {self.permission.code}"


@recorded()
class UserRole(models.Model):
    """A person holds a role, in one facility or, without one, in all."""

    user = models.ForeignKey(User, models.CASCADE, related_name="user_roles")
    role = models.ForeignKey(Role, models.PROTECT, related_name="user_roles")
    facility = models.ForeignKey(
        Facility, models.PROTECT, null=True, blank=True, related_name="+", help_text="Empty: in every facility."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "role", "facility"], name="user_role_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.role}" + (f" ({self.facility})" if self.facility_id else "")


class Device(AbstractAuthToken):
    """A signed-in device. Its secret is kept as a digest only; ``id`` is what lists and addresses show of it."""

    user = models.ForeignKey(User, models.CASCADE, related_name="devices")
    id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=120, blank=True, help_text="What the device said of itself when it signed in.")
    address = models.GenericIPAddressField(null=True, blank=True)

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.user}: {self.name or 'device'}"


class SignInFailure(models.Model):
    """Wrong sign-ins since ``since``, counted by user name and address; a right one clears the row."""

    key = models.CharField(max_length=250, primary_key=True)
    count = models.PositiveIntegerField()
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"


class AccessAttempt(models.Model):
    """Somebody reached for what belongs to a facility they have no part in. They were told that it does not exist."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", help_text="Whose thing it was.")
    kind = models.CharField(max_length=80, help_text="What was reached for, such as patients.patient.")
    object_id = models.BigIntegerField()
    address = models.GenericIPAddressField(null=True)
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=250)

    class Meta:
        ordering = ["-id"]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.user} reached for {self.kind} {self.object_id}"


class IdempotencyKey(models.Model):
    """The answer that a caller's key was given, kept for a day; written in the transaction of what it created."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, path and body.")
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(default="")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return self.key
