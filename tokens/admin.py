"""Tokens and policies for administrators: policies are changed by their actions, the engine's own rows only shown."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action
from unfold.forms import BaseDialogForm

from accounts.models import Facility
from accounts.permissions import facility_ids, within
from common.api.exceptions import leave_trace
from common.errors import BadInput, DomainError
from common.transactions import outermost
from scheduling.admin import mine, person
from scheduling.models import Department, Doctor
from tokens import allocation, planning, policies, queueing, undoing
from tokens.models import (
    AllocationPolicy,
    Event,
    FormerNumber,
    Plan,
    PolicyAssignment,
    SupplyEvent,
    Token,
    WaitEstimate,
)
from tokens.states import Source


def held(code: str) -> Callable[..., bool]:
    """The method by which a button asks whether the person may press it; the action looks again, and where."""

    def has_permission(self: ModelAdmin, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(facility_ids(request.user, code))

    return has_permission


# What the engine owns


class Shown(ModelAdmin):
    """Rows that the engine writes: looked at here, in the administrator's own facilities, and never changed by hand."""

    road = "session__facility_id"
    list_disable_select_all = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Rows of facilities whose tokens the person may see."""
        return super().get_queryset(request).filter(within(facility_ids(request.user, "tokens.view"), self.road))

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """By actions alone."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """By actions alone."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never: what happened stays."""
        return False

    def run(self, request: HttpRequest, work: Callable[[], Any], done: str) -> HttpResponse:
        """Run an action in its own transaction, and say what came of it on the page that it was asked for on."""
        try:
            outermost(work)
            self.message_user(request, done)
        except DomainError as error:
            leave_trace(error, request)
            self.message_user(request, str(error), messages.ERROR)
        back = request.headers.get("HX-Current-URL") or reverse(
            f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"
        )
        if "HX-Request" in request.headers:
            return HttpResponse(headers={"HX-Redirect": back})
        return HttpResponseRedirect(back)


class EventsInline(TabularInline):
    """What happened to a token."""

    model = Event
    fields = ("seq", "at", "kind", "status", "reason", "actor", "changes")
    readonly_fields = fields
    ordering = ("seq",)
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        """With who did it."""
        return super().get_queryset(request).select_related("actor")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """By actions alone."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False


class ReasonForm(BaseDialogForm):
    """Why."""

    reason = forms.CharField(max_length=300, required=False)


def asking(title: str, form: type[BaseDialogForm] = BaseDialogForm) -> Any:
    """A dialog before a step, so that no step is taken by a mere link."""
    return {"title": title, "description": "", "form_class": form, "form_submit_text": title}


@admin.register(Token)
class TokenAdmin(Shown):
    """Tokens with their history; the buttons call the actions that every screen calls."""

    list_display = ("number", "session", "status", "source", "paid", "score", "arrived_at", "requested_at")
    list_filter = ("status", "source", "paid", "overbooked", "session__date", mine("session__doctor"))
    list_select_related = ("session__doctor",)
    search_fields = ("number", "patient__number", "patient__name", "former_numbers__number")
    date_hierarchy = "requested_at"
    exclude = ("key",)
    inlines = (EventsInline,)
    actions_detail = ("arrive", "cancel", "no_show", "undo")
    has_arrive_permission = held("tokens.arrive")
    has_cancel_permission = held("tokens.cancel")
    has_no_show_permission = held("tokens.no_show")
    has_undo_permission = held("tokens.undo")

    @action(description="Arrived", permissions=["arrive"], dialog=asking("The patient is here"))
    def arrive(self, request: HttpRequest, form: BaseDialogForm, object_id: int) -> HttpResponse:
        """The patient is here."""
        return self.run(request, partial(queueing.arrive, token_id=int(object_id), by=person(request)), "Arrived.")

    @action(description="Cancel", permissions=["cancel"], dialog=asking("Cancel the token", ReasonForm))
    def cancel(self, request: HttpRequest, form: BaseDialogForm, object_id: int) -> HttpResponse:
        """Cancel; the place goes to the best who waits."""
        reason = form.cleaned_data["reason"]
        work = partial(allocation.cancel_token, token_id=int(object_id), reason=reason, by=person(request))
        return self.run(request, work, "Cancelled.")

    @action(description="No-show", permissions=["no_show"], dialog=asking("The patient did not come"))
    def no_show(self, request: HttpRequest, form: BaseDialogForm, object_id: int) -> HttpResponse:
        """The patient did not come."""
        work = partial(allocation.mark_no_show, token_id=int(object_id), by=person(request))
        return self.run(request, work, "Marked as a no-show.")

    @action(description="Undo", permissions=["undo"], dialog=asking("Take back the last step"))
    def undo(self, request: HttpRequest, form: BaseDialogForm, object_id: int) -> HttpResponse:
        """Take back the last step."""
        work = partial(undoing.undo_last, token_id=int(object_id), by=person(request))
        return self.run(request, work, "The last step was taken back.")


@admin.register(Event)
class EventAdmin(Shown):
    """What happened to tokens."""

    road = "token__session__facility_id"
    list_display = ("at", "token", "seq", "kind", "status", "reason", "actor")
    list_filter = ("kind", "status", "at", mine("token__session__doctor"))
    list_select_related = ("token", "actor")
    search_fields = ("token__number", "reason", "actor__name")
    date_hierarchy = "at"


@admin.register(SupplyEvent)
class SupplyEventAdmin(Shown):
    """What happened to sessions and slots."""

    list_display = ("at", "session", "slot", "kind", "reason", "actor")
    list_filter = ("kind", "at", mine("session__doctor"))
    list_select_related = ("session__doctor", "slot__session__doctor", "actor")
    search_fields = ("reason", "session__doctor__name")
    date_hierarchy = "at"


@admin.register(Plan)
class PlanAdmin(Shown):
    """Changes of supply that were applied; undone while nothing later depends on them."""

    list_display = ("applied_at", "session", "slot", "kind", "actor", "undone_at")
    list_filter = ("kind", "applied_at", mine("session__doctor"))
    list_select_related = ("session__doctor", "slot__session__doctor", "actor")
    search_fields = ("session__doctor__name",)
    actions_detail = ("undo",)
    has_supply_permission = held("tokens.supply")

    @action(description="Undo", permissions=["supply"], dialog=asking("Take the plan back"))
    def undo(self, request: HttpRequest, form: BaseDialogForm, object_id: int) -> HttpResponse:
        """Take the plan back."""
        work = partial(planning.undo_plan, plan_id=int(object_id), by=person(request))
        return self.run(request, work, "The plan was taken back.")


@admin.register(FormerNumber)
class FormerNumberAdmin(Shown):
    """Numbers that tokens had in sessions they left."""

    list_display = ("number", "session", "token")
    list_filter = (mine("session__doctor"),)
    list_select_related = ("session__doctor", "token")
    search_fields = ("number", "token__number")


@admin.register(WaitEstimate)
class WaitEstimateAdmin(Shown):
    """How long patients were told they would wait."""

    road = "token__session__facility_id"
    list_display = ("given_at", "token", "where", "ahead", "p50_minutes", "p90_minutes", "started_at")
    list_filter = ("where", "given_at", mine("token__session__doctor"))
    list_select_related = ("token",)
    search_fields = ("token__number",)
    date_hierarchy = "given_at"

    @admin.display(description="Visit started", ordering="token__started_at")
    def started_at(self, estimate: WaitEstimate) -> datetime | None:
        """What happened."""
        return estimate.token.started_at


# Policies


class ByPolicyRights:
    """Changed by whoever may change policies, in the facilities where they may."""

    def _may(self, request: HttpRequest) -> bool:
        return bool(facility_ids(request.user, policies.CODE))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever may change policies somewhere."""
        return self._may(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change policies somewhere; the action looks where."""
        return self._may(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not by deleting."""
        return False

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        """Say a refusal in its own words."""
        try:
            return super().changeform_view(request, *args, **options)  # type: ignore[misc]
        except DomainError as error:
            leave_trace(error, request)
            self.message_user(request, str(error), messages.ERROR)  # type: ignore[attr-defined]
            return HttpResponseRedirect(request.get_full_path())


def weight(source: Source) -> forms.IntegerField:
    """The field of one weight."""
    return forms.IntegerField(label=f"Weight of {source.label.lower()}", min_value=0, max_value=policies.HEAVIEST)


WEIGHTS = {f"weight_{source.value}": source.value for source in Source}
PLACES = ("emergency", "displacement", "without_place", "no_next_slot", "next_slot_days")
PEOPLE = ("protect_arrived", "present_only", "no_show")
WAITING = ("age_points", "age_every", "age_limit")


class PolicyForm(forms.ModelForm):
    """A policy with a field for each weight."""

    weight_emergency = weight(Source.EMERGENCY)
    weight_paid = weight(Source.PAID)
    weight_follow_up = weight(Source.FOLLOW_UP)
    weight_online = weight(Source.ONLINE)
    weight_walk_in = weight(Source.WALK_IN)

    class Meta:
        model = AllocationPolicy
        fields = ("name", "facility", "combine", *PLACES, *PEOPLE, *WAITING)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, source in WEIGHTS.items():
            if name in self.fields:
                self.fields[name].initial = (self.instance.weights or {}).get(source)
        if "facility" in self.fields:
            self.fields["facility"].required = True

    def clean(self) -> dict[str, Any]:
        """The weights become one value; what makes no sense is said beside its field."""
        given = super().clean() or {}
        self.instance.weights = {source: given.get(name) for name, source in WEIGHTS.items()}
        try:
            policies.check_ageing(AllocationPolicy(**{name: given.get(name) or 0 for name in WAITING}))
        except BadInput as error:
            self.add_error(error.attr, str(error))
        return given


class CopyForm(BaseDialogForm):
    """For whom, and under which name."""

    facility = forms.ModelChoiceField(Facility.objects.none())
    name = forms.SlugField(max_length=60)

    def __init__(self, *args: Any, request: HttpRequest, **options: Any) -> None:
        super().__init__(*args, request=request, **options)
        mine_only = within(facility_ids(request.user, policies.CODE), "pk")
        field = self.fields["facility"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Facility.objects.filter(mine_only, is_active=True)


@admin.register(AllocationPolicy)
class AllocationPolicyAdmin(ByPolicyRights, ModelAdmin):
    """Presets are shown and copied; a facility's own policies are changed."""

    form = PolicyForm
    list_display = ("name", "facility", "is_preset", "combine", "emergency", "displacement", "without_place")
    list_filter = ("is_preset", "facility", "combine", "emergency")
    search_fields = ("name",)
    actions_detail = ("copy",)
    has_policy_permission = held(policies.CODE)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AllocationPolicy]:
        """The presets, and the policies of the person's own facilities."""
        ids = facility_ids(request.user, "tokens.view")
        return super().get_queryset(request).filter(within(ids) | Q(facility=None))

    def has_change_permission(self, request: HttpRequest, obj: AllocationPolicy | None = None) -> bool:
        """Not a preset."""
        return self._may(request) and (obj is None or not obj.is_preset)

    def get_fieldsets(self, request: HttpRequest, obj: AllocationPolicy | None = None) -> Any:
        """A preset is shown as it is stored."""
        weights = WEIGHTS if obj is None or self.has_change_permission(request, obj) else ("weights",)
        return (
            (None, {"fields": ("name", "facility")}),
            ("Score", {"fields": ("combine", *weights)}),
            ("Places", {"fields": PLACES}),
            ("People", {"fields": PEOPLE}),
            ("Waiting", {"fields": WAITING}),
        )

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Only the person's own facilities."""
        field = super().formfield_for_foreignkey(db_field, request, **options)
        field.queryset = field.queryset.filter(within(facility_ids(request.user, policies.CODE), "pk"))
        return field

    def save_model(self, request: HttpRequest, obj: AllocationPolicy, form: Any, change: bool) -> None:
        """Call the action."""
        policies.save_policy(obj, by=person(request))

    @action(
        description="Copy",
        permissions=["policy"],
        dialog=asking("Copy the policy", CopyForm),
    )
    def copy(self, request: HttpRequest, form: BaseDialogForm, object_id: int) -> HttpResponse:
        """Copy the policy for a facility, and open the copy."""
        given = form.cleaned_data
        to = reverse("admin:tokens_allocationpolicy_changelist")
        try:
            made = policies.copy_policy(
                policy_id=int(object_id), facility=given["facility"], name=given["name"], by=person(request)
            )
            to = reverse("admin:tokens_allocationpolicy_change", args=[made.pk])
        except DomainError as error:
            leave_trace(error, request)
            self.message_user(request, str(error), messages.ERROR)
        if "HX-Request" in request.headers:
            return HttpResponse(headers={"HX-Redirect": to})
        return HttpResponseRedirect(to)


@admin.register(PolicyAssignment)
class PolicyAssignmentAdmin(ByPolicyRights, ModelAdmin):
    """Which policy decides where; the nearest one counts. Deleting one lets the next nearest decide."""

    list_display = ("policy", "facility", "department", "doctor")
    list_filter = ("policy",)
    list_select_related = ("policy", "facility", "department", "doctor")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PolicyAssignment]:
        """Those of the person's own facilities."""
        ids = facility_ids(request.user, "tokens.view")
        seen = within(ids) | within(ids, "department__facility_id") | within(ids, "doctor__facility_id")
        return super().get_queryset(request).filter(seen)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Choices of the person's own facilities."""
        field = super().formfield_for_foreignkey(db_field, request, **options)
        ids = facility_ids(request.user, policies.CODE)
        roads = {Facility: "pk", Department: "facility_id", Doctor: "facility_id"}
        if field.queryset.model in roads:
            field.queryset = field.queryset.filter(within(ids, roads[field.queryset.model]))
        if field.queryset.model is AllocationPolicy:
            field.queryset = field.queryset.filter(within(ids) | Q(facility=None))
        return field

    def has_delete_permission(self, request: HttpRequest, obj: PolicyAssignment | None = None) -> bool:
        """Taken back one by one."""
        return obj is not None and self._may(request)

    def save_model(self, request: HttpRequest, obj: PolicyAssignment, form: Any, change: bool) -> None:
        """Call the action."""
        policies.assign_policy(obj, by=person(request))

    def delete_model(self, request: HttpRequest, obj: PolicyAssignment) -> None:
        """Call the action."""
        policies.withdraw_policy(obj, by=person(request))
