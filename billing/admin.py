"""Money for administrators: prices, taxes, limits, drawers and rules are set here; what moved money is only shown."""

from datetime import date
from typing import Any, ClassVar

from django.apps import apps
from django.contrib import admin
from django.db.models import Field, ForeignKey, Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from accounts.admin import FacilityAdmin, HistoryAdmin, OfMyFacilities, ReadOnlyAdmin
from accounts.models import Facility
from accounts.permissions import allows, facility_ids, within
from billing import models
from billing.forms import HouseForm, RulesForm, SetupForm
from scheduling.admin import person
from scheduling.models import Department

VIEW, EDIT, LEDGER = "billing.view", "billing.edit", "billing.ledger"


class MyFacilities(admin.RelatedFieldListFilter):
    """Offers the administrator's own facilities, without asking a large table which of them it has."""

    def field_choices(self, field: Field, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Those in which money may be seen."""
        mine = Facility.objects.filter(within(facility_ids(request.user, VIEW), "pk"))
        return [(str(facility.pk), str(facility)) for facility in mine]


OF_FACILITY = ("facility", MyFacilities)


# What is set up


class SetupAdmin(OfMyFacilities, ModelAdmin):
    """Rows of the facilities whose rules of money the administrator may change. Nothing is deleted."""

    code = VIEW
    form = SetupForm
    fixed: ClassVar[tuple[str, ...]] = ("facility",)
    """Chosen once, when it is made."""
    fixed_in_force: ClassVar[tuple[str, ...]] = ()
    """What stays from the day on which it is first in force: bills were made by it."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What was chosen for good."""
        if obj is None:
            return ()
        begun = self.fixed_in_force and obj.valid_from <= obj.facility.local_date()
        return (*self.fixed, *self.fixed_in_force) if begun else self.fixed

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **options: Any) -> Any:
        """Choices of facilities whose rules the administrator may change."""
        field = super().formfield_for_foreignkey(db_field, request, **options)
        roads = {Facility: "pk", Department: "facility_id", models.TaxRate: "facility_id"}
        if field.queryset.model in roads:
            ids = facility_ids(request.user, EDIT)
            field.queryset = field.queryset.filter(within(ids, roads[field.queryset.model]))
        return field

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change the rules of the row's facility."""
        if obj is None:
            return bool(facility_ids(request.user, EDIT))
        return allows(person(request), EDIT, obj.facility_id)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: it ends on a day, and stays for the bills that were made by it."""
        return False


@admin.register(models.BillingSettings)
class BillingSettingsAdmin(SetupAdmin):
    """A facility's rules of money. A facility that has none makes no bills by itself."""

    form = RulesForm
    list_display = ("facility", "priority_fee", "follow_up_free_days", "refund_full_hours", "refund_later_percent")
    list_select_related = ("facility",)
    search_fields = ("facility__name",)
    fieldsets = (
        (None, {"fields": ("facility",)}),
        ("Receipts", {"fields": ("address", "tax_number", "receipt_note")}),
        ("Fees", {"fields": ("priority_fee", "follow_up_free_days", "hospital_fee_once")}),
        ("Money back", {"fields": ("refund_full_hours", "refund_later_percent", "when_displaced")}),
        ("Drawers", {"fields": ("denominations",)}),
    )


@admin.register(models.TaxRate)
class TaxRateAdmin(SetupAdmin):
    """Taxes; a new percentage is a new row."""

    list_display = ("name", "percent", "included", "valid_from", "valid_until", "facility")
    list_filter = (OF_FACILITY, "included")
    list_select_related = ("facility",)
    search_fields = ("name",)
    fixed_in_force = ("percent", "included", "valid_from")


@admin.register(models.Price)
class PriceAdmin(SetupAdmin):
    """Prices; a new amount is a new row, and the old one ends the day before."""

    list_display = ("name", "code", "amount", "tax", "item_type", "department", "valid_from", "valid_until", "facility")
    list_filter = (OF_FACILITY, "item_type", "valid_from")
    list_select_related = ("facility", "tax", "department")
    search_fields = ("name", "code", "item_type")
    fixed = ("facility", "code")
    fixed_in_force = ("amount", "tax", "valid_from")


@admin.register(models.Drawer)
class DrawerAdmin(SetupAdmin):
    """Drawers are switched off and never deleted."""

    list_display = ("name", "facility", "is_active")
    list_filter = ("is_active", OF_FACILITY)
    list_select_related = ("facility",)
    search_fields = ("name",)


@admin.register(models.DiscountLimit, models.CreditLimit)
class LimitAdmin(ModelAdmin):
    """How much each role may give away or take off; a role belongs to every facility, and so does its limit."""

    list_display = ("role", "percent")
    list_select_related = ("role",)
    search_fields = ("role__name",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever may change the rules of money everywhere."""
        return allows(person(request), EDIT, None)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever may change the rules of money everywhere."""
        return allows(person(request), EDIT, None)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever may change the rules of money everywhere: without one a role gives nothing, or credits anything."""
        return allows(person(request), EDIT, None)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """A limit stays with its role."""
        return ("role",) if obj else ()


admin.site.unregister(Facility)
admin.site.register(Facility, FacilityAdmin, form=HouseForm)


# What moved money


class Shown(OfMyFacilities, ReadOnlyAdmin):
    """Rows that actions write: looked at here, in the administrator's own facilities, and never changed by hand."""

    code = VIEW
    show_full_result_count = False
    list_disable_select_all = True
    list_per_page = 50

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Everything, also what no form has: the number, what is due."""
        return [field.name for field in self.opts.concrete_fields if not field.primary_key]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Everything, in the order of the table."""
        return self.get_readonly_fields(request, obj)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see such rows somewhere; the list has those of these facilities alone."""
        return bool(facility_ids(request.user, self.code))

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whoever may see such rows somewhere."""
        return self.has_view_permission(request)


class Part(TabularInline):
    """Rows that belong to the one that is shown."""

    extra = 0
    can_delete = False
    hide_title = True
    ordering = ("pk",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By actions alone."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see what it belongs to."""
        return True


def part(of: type[Model], *names: str, through: str | None = None, also: tuple[str, ...] = ()) -> type[TabularInline]:
    """An inline that shows these fields of the rows that point here."""

    def get_queryset(self: TabularInline, request: HttpRequest) -> QuerySet[Any]:
        return TabularInline.get_queryset(self, request).select_related(*also)

    content = {"model": of, "fields": names, "readonly_fields": names, "fk_name": through, "get_queryset": get_queryset}
    return type(f"{of.__name__}sOf", (Part,), content)


LINES = part(
    models.Line, "position", "description", "quantity", "unit_price", "discount", "discount_reason", "tax", "total"
)
PAYMENTS = part(
    models.Payment, "at", "method", "amount", "refunded", "reference", "receipt", "by", also=("receipt", "by")
)
REFUNDS = part(models.Refund, "at", "method", "amount", "reason", "receipt", "by", also=("receipt", "by"))
CREDITS = part(models.CreditNote, "number", "at", "amount", "tax", "reason", "by", also=("by",))
CREDIT_LINES = part(models.CreditLine, "line", "amount", "tax", also=("line",))
PRINTS = part(models.ReceiptPrint, "copy", "at", "by", also=("by",))
MOVEMENTS = part(models.CashMovement, "number", "at", "kind", "amount", "reason", "by", also=("by",))
ENTRIES = part(models.LedgerEntry, "account", "amount", "bill", "patient", also=("account", "bill", "patient"))
POSTED = part(models.LedgerTransaction, "kind", "date", "at", "by", also=("by",))


@admin.register(models.Bill)
class BillAdmin(Shown):
    """Bills, with everything that happened to them."""

    list_display = ("__str__", "patient", "about", "status", "total", "paid", "due", "currency", "date", "facility")
    list_filter = ("status", "date", OF_FACILITY)
    list_select_related = ("patient", "facility")
    search_fields = ("=number", "=patient__number", "patient__search_name", "about")
    date_hierarchy = "date"
    inlines = (LINES, PAYMENTS, REFUNDS, CREDITS, POSTED)


@admin.register(models.CreditNote)
class CreditNoteAdmin(Shown):
    """Credit notes, with what each line bears."""

    list_display = ("number", "bill", "amount", "tax", "reason", "date", "by", "facility")
    list_filter = ("date", OF_FACILITY)
    list_select_related = ("bill", "by", "facility")
    search_fields = ("=number", "=bill__number", "reason")
    date_hierarchy = "date"
    inlines = (CREDIT_LINES,)


@admin.register(models.Receipt)
class ReceiptAdmin(Shown):
    """Receipts and refund vouchers, with what is on them and how often they were printed."""

    list_display = ("number", "kind", "patient", "bill", "shift", "at", "by", "facility")
    list_filter = ("kind", "at", OF_FACILITY)
    list_select_related = ("patient", "bill", "shift", "by", "facility")
    search_fields = ("=number", "=bill__number", "=patient__number", "patient__search_name")
    date_hierarchy = "at"
    inlines = (PAYMENTS, REFUNDS, PRINTS)


@admin.register(models.Payment)
class PaymentAdmin(Shown):
    """Payments, with what was given back of them."""

    list_display = ("receipt", "method", "amount", "refunded", "reference", "patient", "bill", "at", "by", "facility")
    list_filter = ("method", "date", OF_FACILITY)
    list_select_related = ("receipt", "patient", "bill", "by", "facility")
    search_fields = ("=receipt__number", "=reference", "=bill__number", "=patient__number", "patient__search_name")
    date_hierarchy = "date"
    inlines = (REFUNDS,)


@admin.register(models.Refund)
class RefundAdmin(Shown):
    """What was given back, and why."""

    list_display = ("receipt", "method", "amount", "reason", "payment", "bill", "at", "by", "facility")
    list_filter = ("method", "date", OF_FACILITY)
    list_select_related = ("receipt", "payment", "bill", "by", "facility")
    search_fields = ("=receipt__number", "=bill__number", "=payment__patient__number", "reason")
    date_hierarchy = "date"


@admin.register(models.Shift)
class ShiftAdmin(Shown):
    """Shifts, with what was counted."""

    code = "billing.shifts"
    list_display = (
        "drawer", "date", "number", "cashier", "opened_at", "closed_at", "float_amount", "expected", "counted",
        "difference", "reason",
    )  # fmt: skip
    list_filter = ("date", OF_FACILITY)
    list_select_related = ("drawer", "cashier")
    search_fields = ("cashier__username", "cashier__name", "drawer__name", "reason")
    date_hierarchy = "date"
    inlines = (MOVEMENTS,)


@admin.register(models.CashMovement)
class CashMovementAdmin(Shown):
    """Cash that went into a drawer or out of it though nobody paid."""

    code = "billing.shifts"
    list_display = ("number", "kind", "amount", "reason", "shift", "at", "by", "facility")
    list_filter = ("kind", "date", OF_FACILITY)
    list_select_related = ("shift", "by", "facility")
    search_fields = ("=number", "reason", "by__username", "by__name")
    date_hierarchy = "date"


@admin.register(models.PatientAccount)
class PatientAccountAdmin(Shown):
    """Patients who have paid in advance; what lies there is in the ledger."""

    list_display = ("patient", "facility")
    list_filter = (OF_FACILITY,)
    list_select_related = ("patient", "facility")
    search_fields = ("=patient__number", "patient__search_name")


@admin.register(models.LedgerAccount)
class LedgerAccountAdmin(Shown):
    """The accounts of the ledger."""

    code = LEDGER
    list_display = ("code", "name", "kind", "department", "drawer", "facility")
    list_filter = ("kind", OF_FACILITY)
    list_select_related = ("department", "drawer", "facility")
    search_fields = ("code", "name")


@admin.register(models.LedgerTransaction)
class LedgerTransactionAdmin(Shown):
    """What moved money or a claim, with its entries, which sum to zero."""

    code = LEDGER
    list_display = ("__str__", "kind", "date", "bill", "credit_note", "shift", "by", "facility")
    list_filter = ("kind", "date", OF_FACILITY)
    list_select_related = ("bill", "credit_note", "shift", "by", "facility")
    search_fields = ("=bill__number", "=credit_note__number", "=payment__receipt__number", "=refund__receipt__number")
    date_hierarchy = "date"
    inlines = (ENTRIES,)


@admin.register(models.LedgerEntry)
class LedgerEntryAdmin(Shown):
    """The entries of the ledger: above zero is debit."""

    code = LEDGER
    facility = "account__facility_id"
    list_display = ("transaction", "day", "account", "amount", "bill", "patient")
    list_filter = ("account__kind", "transaction__kind", "transaction__date")
    list_select_related = ("transaction", "account", "bill", "patient")
    search_fields = ("=account__code", "=bill__number", "=patient__number")

    @admin.display(description="date", ordering="transaction__date")
    def day(self, entry: models.LedgerEntry) -> date:
        """The facility's date."""
        return entry.transaction.date


@admin.register(models.Counter)
class CounterAdmin(Shown):
    """The last number given of each kind and year."""

    list_display = ("facility", "kind", "year", "last")
    list_filter = ("kind", "year", OF_FACILITY)
    list_select_related = ("facility",)


@admin.register(models.ProofRun)
class ProofRunAdmin(Shown):
    """Each night's proof that bills, payments and ledger agree, with what it found."""

    code = LEDGER
    list_display = ("at", "facility", "balanced", "difference")
    list_filter = ("balanced", OF_FACILITY)
    list_select_related = ("facility",)
    date_hierarchy = "at"


class SetupHistoryAdmin(OfMyFacilities, HistoryAdmin):
    """What a rule, a price or a tax was like after each change."""

    code = VIEW


for _model in ("BillingSettingsEvent", "TaxRateEvent", "PriceEvent", "DrawerEvent"):
    admin.site.register(apps.get_model("billing", _model), SetupHistoryAdmin)
for _model in ("DiscountLimitEvent", "CreditLimitEvent"):
    admin.site.register(apps.get_model("billing", _model), HistoryAdmin)
