"""Fields of forms about facilities."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.models import Language


class LanguagesWidget(forms.MultiWidget):
    """A choice for each place in the order: the first language, the second, and so on."""

    def __init__(self) -> None:
        places = range(len(Language.values))
        super().__init__([UnfoldAdminSelectWidget(choices=[("", "None"), *Language.choices]) for _ in places])

    def decompress(self, value: list[str] | None) -> list[str]:
        """The chosen ones in their order, the rest empty."""
        chosen = list(value or [])
        return chosen + [""] * (len(self.widgets) - len(chosen))


class LanguagesField(forms.MultiValueField):
    """Languages in an order; the model says which lists are good."""

    def __init__(self, **kwargs: Any) -> None:
        choices = [("", ""), *Language.choices]
        each = [forms.ChoiceField(choices=choices, required=False) for _ in Language.values]
        super().__init__(fields=each, widget=LanguagesWidget(), require_all_fields=False, **kwargs)

    def compress(self, data_list: list[str]) -> list[str]:
        """Without the empty ones."""
        return [language for language in data_list if language]
