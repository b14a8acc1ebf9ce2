"""Filters of lists that several apps have."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters

_WORDS = {"true": True, "1": True, "false": False, "0": False}


class YesNoField(forms.Field):
    """true or false, in any case, or 1 and 0; nothing where it is left out."""

    widget = forms.TextInput
    default_error_messages = {"invalid": _("Write true or false.")}

    def to_python(self, value: Any) -> bool | None:
        """What was said."""
        text = str(value or "").strip().lower()
        if text and text not in _WORDS:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return _WORDS.get(text)


class YesNoFilter(filters.BooleanFilter):
    """Rows of which something is so, or is not. Any other word is refused: unheard, it would show all of them."""

    field_class = YesNoField

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, widget=forms.TextInput, **options)


class DatedFilter(filters.FilterSet):
    """By the row's own date, or from one day to another, both of them among the days that count."""

    date = filters.DateFilter()
    date_from = filters.DateFilter(field_name="date", lookup_expr="gte")
    date_to = filters.DateFilter(field_name="date", lookup_expr="lte")
