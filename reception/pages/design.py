"""`/design/`: every part of the pages in every state, from the very tags and templates that the pages use."""

from django import forms
from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from common.errors import NotFound
from reception.cash.ways import methods
from reception.hall import SOURCE_WORDS
from reception.pages.frame import staff

COLOURS = (
    "canvas surface raised sunken hover line line-2 edge text text-2 text-3 accent-fill accent-soft "
    "amber-mark amber-soft red-fill red-soft place-used place-held"
)
MARKS = (
    ("absent", "Not here yet"),
    ("here", "Here"),
    ("called", "Called"),
    ("room", "In the room"),
    ("held", "Held"),
    ("skipped", "Skipped"),
    ("away", "Out for a test"),
    ("wait", "Waits for a place, not here yet"),
    ("wait-here", "Waits for a place, here"),
    ("done", "Seen"),
    ("gone", "Cancelled, or did not come"),
)
CAPACITIES = (
    (("seen", "seen", "now", "held", "held", "held"), "2 seen, 1 in the room, 3 to come"),
    (("seen", "held", "held", "free", "free"), "3 of 5, 2 free"),
    (("held",) * 6 + ("over",), "7 of 6, 1 overbooked"),
    (("held",) * 3 + ("cut",) * 3, "3 of 3, three places cut"),
    (("free",) * 6, "6 free"),
)


ICONS = "brand search plus next back clock theme undo download print more warn emergency info close done menu"


class SampleForm(forms.Form):
    """One field of each kind."""

    phone = forms.CharField(label="Phone", help_text="Ten figures, without +91")
    born = forms.IntegerField(
        label="Birth year",
        min_value=1900,
        max_value=2026,
        error_messages={"max_value": "Enter a year from 1900 to 2026, such as 1972"},
    )
    number = forms.CharField(label="Hospital number", initial="UH-", disabled=True, required=False)
    doctor = forms.ChoiceField(label="Doctor", choices=[("", "First free in General Medicine"), ("1", "Dr Rao")])
    sex = forms.ChoiceField(
        label="Sex", choices=[("f", "Female"), ("m", "Male"), ("o", "Other")], widget=forms.RadioSelect
    )
    source = forms.ChoiceField(label="Source", choices=list(SOURCE_WORDS.items()), widget=forms.RadioSelect)
    here = forms.BooleanField(label="The patient is here", required=False)


SAMPLE = {"phone": "98450 11213", "born": "19720", "doctor": "1", "sex": "f", "source": "walk_in", "here": "on"}


@staff
@require_GET
def design(request: HttpRequest) -> HttpResponse:
    """The living page. It needs no data and no permission."""
    said = [Message(messages.SUCCESS, "Password changed."), Message(messages.ERROR, "Nothing was changed.")]
    shown = {"error": NotFound("There is no such patient."), "said": said}
    context = shown | {
        "form": SampleForm(SAMPLE),
        "colours": COLOURS.split(),
        "marks": MARKS,
        "capacities": CAPACITIES,
        "icons": ICONS.split(),
        "methods": methods(cash=True, account=False),
        "chosen_way": "cash",
    }
    return render(request, "design.html", context)
