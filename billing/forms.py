"""What administrators may write into the rules of money."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.admin import FacilityForm
from billing.queries import has_money


class SetupForm(forms.ModelForm):
    """Says what the database would refuse, also where it is about fields that are only shown."""

    def clean(self) -> dict[str, Any]:
        """Department and tax belong to the facility of what they stand in; the last day is not before the first."""
        given = super().clean() or {}
        facility_id = getattr(given.get("facility"), "pk", None) or self.instance.facility_id
        for name in ("department", "tax"):
            chosen = given.get(name)
            if chosen is not None and chosen.facility_id != facility_id:
                self.add_error(name, "It belongs to another facility.")
        begins = given.get("valid_from") or getattr(self.instance, "valid_from", None)
        if begins and given.get("valid_until") and given["valid_until"] < begins:
            # Said before the database is asked, which has no range that runs backwards.
            self.add_error("valid_until", "It ends before it begins.")
        return given

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # Django has it, its stubs do not
        if not self.errors:
            try:
                self.instance.validate_constraints()
            except ValidationError as error:
                self.add_error(None, error.messages)


class RulesForm(SetupForm):
    """A facility's rules; its notes and coins are worth something, each is named once, the largest first."""

    def clean_denominations(self) -> list[Decimal]:
        """Notes and coins in the order in which a drawer is counted."""
        given: list[Decimal] = self.cleaned_data["denominations"]
        if any(each <= 0 for each in given):
            raise ValidationError("A note or a coin is worth more than nothing.")
        return sorted(set(given), reverse=True)


class HouseForm(FacilityForm):
    """A facility; its currency stays once there is money in it, which the database refuses too."""

    def clean_currency(self) -> str:
        """The currency, as it was or chosen in time."""
        chosen: str = self.cleaned_data["currency"]
        if "currency" in self.changed_data and self.instance.pk and has_money(self.instance.pk):
            raise ValidationError(
                f"Bills and shifts of this facility are in {self.initial['currency']}, and would all become {chosen}. "
                "Make a new facility for another currency."
            )
        return chosen
