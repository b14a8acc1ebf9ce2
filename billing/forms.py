"""What administrators may write into the rules of money."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError


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
