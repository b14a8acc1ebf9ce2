"""People, roles, facilities and devices for administrators, and the trail of who changed what."""

from typing import Any

import allauth.mfa.admin  # noqa: F401  (registers what is replaced here)
from allauth.mfa.models import Authenticator
from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.forms import LanguagesField
from accounts.models import AccessAttempt, Device, Facility, Permission, Role, User, UserRole
from accounts.permissions import facility_ids, within

# Groups would be a second way to the rights that roles give.
admin.site.unregister(Group)
admin.site.unregister(Authenticator)


class ReadOnlyAdmin(ModelAdmin):
    """Shows rows that nobody changes by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False


class RevocableAdmin(ReadOnlyAdmin):
    """Shows rows that can only be ended."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever manages accounts."""
        return bool(ModelAdmin.has_delete_permission(self, request, obj))


class OfMyFacilities:
    """Lists only what belongs to facilities in which this person may see it; mixed into a ``ModelAdmin``.

    ``code`` is the permission to see, ``facility`` how a row leads to its facility.
    """

    code: str
    facility = "facility_id"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows of these facilities."""
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        return rows.filter(within(facility_ids(request.user, self.code), self.facility))


class FacilityForm(forms.ModelForm):
    """A facility, its languages in their order."""

    languages = LanguagesField(help_text="What patients read and hear, the first one first.")


@admin.register(Facility)
class FacilityAdmin(ModelAdmin):
    """Facilities are switched off and never deleted."""

    form = FacilityForm
    list_display = ("name", "time_zone", "currency", "is_active")
    prepopulated_fields = {"slug": ("name",)}

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: the database refuses it too."""
        return False


class UserRoleInline(TabularInline):
    """The roles of a person, each in one facility or in all."""

    model = UserRole
    extra = 0
    autocomplete_fields = ("role",)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    """People are switched off and never deleted; a superuser is touched by superusers only."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = (UserRoleInline,)
    list_display = ("username", "name", "email", "is_active")
    list_filter = ("is_active", "user_roles__role", "user_roles__facility")
    search_fields = ("username", "name", "email")
    ordering = ("username",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("name", "email")}),
        ("Access", {"fields": ("is_active", "is_superuser", "last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "name", "usable_password", "password1", "password2")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Nobody makes a superuser of themselves."""
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if _is_superuser(request) else (*fields, "is_superuser")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever manages accounts; a superuser's account, superusers."""
        if isinstance(obj, User) and obj.is_superuser and not _is_superuser(request):
            return False
        return bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: the database refuses it too."""
        return False


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser


class RoleForm(forms.ModelForm):
    """A role with its permissions as boxes to tick."""

    allowed = forms.ModelMultipleChoiceField(
        Permission.objects.all(), required=False, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Role
        fields = ("name", "slug", "description", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["allowed"].initial = self.instance.permissions.all()


@admin.register(Role)
class RoleAdmin(ModelAdmin):
    """As many roles as a hospital likes; system roles keep their names and stay."""

    form = RoleForm
    list_display = ("name", "slug", "is_system", "is_active")
    list_filter = ("is_system", "is_active")
    search_fields = ("name", "slug")
    fields = ("name", "slug", "description", "is_active", "allowed")

    def get_readonly_fields(self, request: HttpRequest, obj: Role | None = None) -> tuple[str, ...]:
        """What the database would refuse to change is not offered."""
        return ("name", "slug", "is_active") if obj and obj.is_system else ()

    def get_prepopulated_fields(self, request: HttpRequest, obj: Role | None = None) -> dict[str, tuple[str, ...]]:
        """A new role's slug follows its name."""
        return {} if obj else {"slug": ("name",)}

    def has_delete_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:
        """Not system roles, and not many at a time, for one of them might be one."""
        return obj is not None and not obj.is_system and bool(super().has_delete_permission(request, obj))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The ticked boxes become rows, once the role has one."""
        super().save_related(request, form, formsets, change)
        form.instance.permissions.set(form.cleaned_data["allowed"])


@admin.register(Permission)
class PermissionAdmin(ReadOnlyAdmin):
    """What can be allowed at all. The apps declare it."""

    list_display = ("code", "name", "module")
    search_fields = ("code", "name")


@admin.register(Device)
class DeviceAdmin(RevocableAdmin):
    """Signed-in devices; deleting one signs it out."""

    list_display = ("user", "name", "address", "created", "expiry")
    search_fields = ("user__username", "user__name", "name")
    fields = ("user", "name", "address", "created", "expiry")


@admin.register(Authenticator)
class SecondFactorAdmin(RevocableAdmin):
    """Second factors, without their secrets; deleting one helps who has lost the phone."""

    list_display = ("user", "type", "created_at", "last_used_at")
    search_fields = ("user__username", "user__name")
    fields = ("user", "type", "created_at", "last_used_at")


@admin.register(AccessAttempt)
class AccessAttemptAdmin(ReadOnlyAdmin):
    """Who reached for what belongs to another facility."""

    list_display = ("at", "user", "facility", "kind", "object_id", "method", "address")
    list_filter = ("facility", "kind")
    search_fields = ("user__username", "user__name", "path")
    date_hierarchy = "at"


class HistoryAdmin(ReadOnlyAdmin):
    """What a row was like after each change, when, and by whom."""

    list_display = ("pgh_created_at", "pgh_label", "who", "row")
    list_filter = ("pgh_label",)
    date_hierarchy = "pgh_created_at"
    list_select_related = ("pgh_context",)

    @admin.display(description="by")
    def who(self, event: Any) -> str:
        """The user's id in the context of the change; nothing for commands and jobs."""
        user_id = event.pgh_context.metadata.get("user") if event.pgh_context else None
        return str(User.objects.filter(pk=user_id).first() or "") if user_id else ""

    @admin.display(description="row")
    def row(self, event: Any) -> str:
        """What the row calls itself."""
        return str(getattr(event, "number", None) or getattr(event, "slug", None) or event.pgh_obj_id)


for _model in ("FacilityEvent", "UserEvent", "RoleEvent", "RolePermissionEvent", "UserRoleEvent"):
    admin.site.register(apps.get_model("accounts", _model), HistoryAdmin)
