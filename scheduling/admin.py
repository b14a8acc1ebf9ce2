"""Schedules for administrators. Every save is an action; what the engine owns is shown and not changed here."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import ForeignKey, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action
from unfold.forms import BaseDialogForm

from accounts.models import Facility, User, UserRole
from accounts.permissions import ALL, facility_ids, within
from common.api.exceptions import leave_trace
from common.errors import DomainError
from common.transactions import outermost
from scheduling import actions
from scheduling.actions import Generated
from scheduling.models import Department, DepartmentMember, Doctor, Room, ScheduleLine, Session, Slot

# How a row leads to its facility, for what is listed and for what may be chosen.
FACILITY = {
    Facility: "pk",
    Department: "facility_id",
    DepartmentMember: "department__facility_id",
    Room: "facility_id",
    Doctor: "facility_id",
    ScheduleLine: "doctor__facility_id",
    Session: "facility_id",
    Slot: "session__facility_id",
}


def person(request: HttpRequest) -> User:
    """Who is signed in: the admin lets nobody else come here."""
    assert isinstance(request.user, User)
    return request.user


def mine(field: str) -> tuple[str, type[admin.FieldListFilter]]:
    """A filter that offers only what is in the administrator's own list."""
    return field, admin.RelatedOnlyFieldListFilter


class ReadForm(forms.ModelForm):
    """Brings back the version of the row that the administrator saw, so that nobody's change is overwritten."""

    read = forms.IntegerField(widget=forms.HiddenInput, required=False, label="")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["read"].initial = getattr(self.instance, "version", None) if self.instance.pk else None

    def arguments(self) -> dict[str, Any]:
        """All of a new row, what the form changes of another; as the actions call it, other rows by their ids."""
        fields = [field for field in self.instance._meta.fields if field.editable and not field.primary_key]
        asked = self.changed_data if self.instance.pk else self.cleaned_data.keys()
        given = {field.attname: self.cleaned_data[field.name] for field in fields if field.name in asked}
        return {name: value.pk if isinstance(value, Model) else value for name, value in given.items()}


class OfMyFacilities:
    """Lists and offers only what belongs to the administrator's own facilities. Nothing is deleted."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Rows of facilities whose schedules the user may see."""
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        return rows.filter(within(facility_ids(request.user, "scheduling.view"), FACILITY[rows.model]))

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **options: Any) -> Any:
        """Choices of facilities whose schedules the user may change."""
        field = super().formfield_for_foreignkey(db_field, request, **options)  # type: ignore[misc]
        ids = facility_ids(request.user, "scheduling.edit")
        if field.queryset.model is User and ids is not ALL:
            held = UserRole.objects.filter(Q(facility__in=ids) | Q(facility=None))
            field.queryset = field.queryset.filter(pk__in=held.values("user"))
        elif field.queryset.model in FACILITY:
            field.queryset = field.queryset.filter(within(ids, FACILITY[field.queryset.model]))
        return field

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Deactivated, never deleted."""
        return False


class ByActions(OfMyFacilities, ModelAdmin):
    """Saves through the actions of this app, and shows a refusal as a message."""

    form = ReadForm
    make: ClassVar[Callable[..., Any]]
    update: ClassVar[Callable[..., Any]]
    key: ClassVar[str]
    fixed: ClassVar[tuple[str, ...]] = ()  # chosen once, when it is made
    later: ClassVar[tuple[str, ...]] = ("is_active",)  # not asked for when it is made

    def get_exclude(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """A new row is active."""
        return self.later if obj is None else ()

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """What was chosen for good."""
        return () if obj is None else self.fixed

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Call the action."""
        cls = type(self)
        if change:
            cls.update(**{cls.key: obj.pk}, **form.arguments(), read=form.cleaned_data["read"], by=person(request))
        else:
            obj.pk = cls.make(**form.arguments(), by=person(request)).pk

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        """Say a refusal in its own words. What was typed is lost, the page shows what is stored."""
        try:
            return super().changeform_view(request, *args, **options)
        except DomainError as error:
            leave_trace(error, request)
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())


class GenerateForm(BaseDialogForm):
    """How many days ahead."""

    days = forms.IntegerField(min_value=1, max_value=366, initial=30)


class Generates(ModelAdmin):
    """Has the button that makes the sessions of the next days."""

    actions_list = ("generate",)

    def has_generate_permission(self, request: HttpRequest) -> bool:
        """Whether the button is there."""
        return person(request).has_perm("scheduling.generate")

    @action(
        description="Generate the next 30 days",
        url_path="generate",
        permissions=["generate"],
        dialog={
            "title": "Generate sessions and slots",
            "description": "From the weekly lines of your facilities. What is there already stays as it is.",
            "form_class": GenerateForm,
            "form_submit_text": "Generate",
        },
    )
    def generate(self, request: HttpRequest, form: GenerateForm) -> HttpResponse:
        """Make the next days of every facility in which the user may, each in a transaction of its own."""
        days, by = form.cleaned_data["days"], person(request)
        for facility in Facility.objects.filter(within(facility_ids(by, "scheduling.generate"), "pk"), is_active=True):
            report = outermost(partial(actions.generate_sessions, facility_id=facility.pk, days=days, by=by))
            self.message_user(request, f"{facility}: {said(report)}")
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        if "HX-Request" in request.headers:
            return HttpResponse(headers={"HX-Redirect": back})
        return HttpResponseRedirect(back)


def said(report: Generated) -> str:
    """A run in one sentence, with the first reasons for what was left out."""
    sentence = f"{report.sessions} sessions with {report.slots} slots made, {report.existing} were there."
    if report.skipped:
        reasons = "; ".join(f"{one.date:%d %b}: {one.sentence}" for one in report.skipped[:5])
        sentence += f" {len(report.skipped)} left out: {reasons}"
    return sentence


class MembersInline(OfMyFacilities, TabularInline):
    """Who works in the department."""

    model = DepartmentMember
    extra = 0

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """People join and leave; there is nothing else to change."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Who leaves is no longer a member."""
        return person(request).has_perm("scheduling.edit")


@admin.register(Department)
class DepartmentAdmin(ByActions):
    """Departments, each with the people who work there."""

    list_display = ("name", "code", "facility", "is_active")
    list_filter = ("is_active", mine("facility"))
    search_fields = ("name", "code")
    fixed = ("facility",)
    inlines = (MembersInline,)
    make, update, key = actions.create_department, actions.update_department, "department_id"

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Let people leave and join."""
        members = formset.save(commit=False)
        for verb, rows in ((actions.leave_department, formset.deleted_objects), (actions.join_department, members)):
            for member in rows:
                verb(department_id=form.instance.pk, user_id=member.user_id, by=person(request))


@admin.register(Room)
class RoomAdmin(ByActions):
    """Rooms."""

    list_display = ("name", "facility", "is_active")
    list_filter = ("is_active", mine("facility"))
    search_fields = ("name",)
    fixed = ("facility",)
    make, update, key = actions.create_room, actions.update_room, "room_id"


class LinesInline(OfMyFacilities, TabularInline):
    """The doctor's week."""

    model = ScheduleLine
    form = ReadForm
    extra = 0


@admin.register(Doctor)
class DoctorAdmin(ByActions):
    """Doctors, each with the lines of the week."""

    list_display = ("name", "department", "consultation_fee", "hospital_fee", "is_active")
    list_filter = ("is_active", mine("department"), mine("facility"))
    list_select_related = ("department",)
    search_fields = ("name", "department__name")
    fixed = ("facility",)
    later = ("is_active", "facility")
    inlines = (LinesInline,)
    make, update, key = actions.create_doctor, actions.update_doctor, "doctor_id"

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Call the actions of the lines that were added or changed."""
        formset.save(commit=False)
        for line in formset.initial_forms:
            if line.has_changed():
                read = line.cleaned_data["read"]
                actions.update_line(line_id=line.instance.pk, **line.arguments(), read=read, by=person(request))
        for line in formset.extra_forms:
            if line.has_changed():
                line.instance.pk = actions.create_line(**line.arguments(), by=person(request)).pk


@admin.register(ScheduleLine)
class ScheduleLineAdmin(ByActions, Generates):
    """Weekly lines."""

    list_display = ("doctor", "weekday", "from_time", "to_time", "room", "slot_minutes", "capacity", "valid_to")
    list_filter = ("weekday", mine("doctor"), mine("room"))
    list_select_related = ("doctor", "room")
    search_fields = ("doctor__name", "room__name")
    fixed = ("doctor",)
    later = ()
    make, update, key = actions.create_line, actions.update_line, "line_id"


class Shown(OfMyFacilities, ModelAdmin):
    """What actions own: looked at here, changed where its rules are."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Made from lines, or by hand through the API."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Changed by actions alone."""
        return False


class SlotsInline(TabularInline):
    """The slots of a session."""

    model = Slot
    fields = ("starts_at", "ends_at", "capacity", "used", "overbooked", "status")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """By actions alone."""
        return False


@admin.register(Session)
class SessionAdmin(Shown, Generates):
    """Sessions, with their slots."""

    list_display = ("doctor", "date", "prefix", "room", "starts_at", "ends_at", "status", "last_number")
    list_filter = ("status", "date", mine("department"), mine("doctor"))
    list_select_related = ("doctor", "room")
    date_hierarchy = "date"
    search_fields = ("doctor__name", "prefix")
    inlines = (SlotsInline,)


@admin.register(Slot)
class SlotAdmin(Shown):
    """Slots."""

    list_display = ("session", "starts_at", "ends_at", "capacity", "used", "overbooked", "status")
    list_filter = ("status", mine("session__doctor"))
    list_select_related = ("session__doctor",)
    search_fields = ("session__doctor__name",)
