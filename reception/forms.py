"""What people type at the desk, checked before an action sees it."""

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from patients.states import Sex
from reception.hall import SOURCE_WORDS

OLDEST = 130


class RegisterForm(forms.Form):
    """A new patient, in the few fields that the phone leaves time for."""

    name = forms.CharField(max_length=150, error_messages={"required": _("Enter the patient’s name")})
    phone = forms.CharField(max_length=40, required=False)
    sex = forms.ChoiceField(choices=Sex.choices, required=False)
    born = forms.CharField(max_length=10, required=False)
    anyway = forms.BooleanField(required=False)

    def clean_born(self) -> dict[str, Any]:
        """An age or a year of birth: 54 and 1972 cannot be mistaken for each other."""
        text = self.cleaned_data["born"].strip()
        if not text:
            return {}
        year = timezone.now().year
        if not text.isdecimal() or not (int(text) <= OLDEST or year - OLDEST <= int(text) <= year):
            words = _("Enter an age such as 54, or a year from %(first)d to %(last)d")
            raise forms.ValidationError(words % {"first": year - OLDEST, "last": year})
        return {"birth_year" if int(text) > OLDEST else "age": int(text)}

    @property
    def known(self) -> dict[str, Any]:
        """What `register_patient` takes."""
        data = self.cleaned_data
        return {"name": data["name"], "phone": data["phone"], "sex": data["sex"] or Sex.UNKNOWN, **data["born"]}


class GiveForm(forms.Form):
    """A token to give. Each source has slots of its own, for each leads to something else."""

    patient = forms.IntegerField(error_messages={"required": _("Find the patient first")})
    source = forms.ChoiceField(choices=[(str(source), words) for source, words in SOURCE_WORDS.items()])
    who = forms.RegexField(r"^(doctor|department)-\d{1,18}$")
    date = forms.DateField(required=False)
    note = forms.CharField(max_length=500, required=False)

    @property
    def slot(self) -> str:
        """What was chosen for the source: a slot's id, "first", or nothing."""
        return str(self.data.get(f"slot_{self.cleaned_data['source']}", ""))

    @property
    def arrived(self) -> bool | None:
        """Whether the patient is here; nothing where the source says it."""
        name = f"here_{self.cleaned_data['source']}"
        return name in self.data if f"{name}_asked" in self.data else None

    def wish(self, today: dt.date) -> dict[str, Any]:
        """What `request_token` takes."""
        data = self.cleaned_data
        wish = {"patient_id": data["patient"], "source": data["source"], "note": data["note"], "arrived": self.arrived}
        if self.slot.isdecimal():
            return {**wish, "slot_id": int(self.slot)}
        kind, _, number = data["who"].partition("-")
        return {**wish, f"{kind}_id": int(number), "on": data["date"] or today}


class StepForm(forms.Form):
    """What a step may carry: a reason, a slot, minutes; where to; the right patient; the event that undo is about."""

    reason = forms.CharField(max_length=300, required=False)
    slot = forms.IntegerField(required=False)
    minutes = forms.IntegerField(required=False, min_value=1, max_value=240)
    to = forms.RegexField(r"^(doctor|department)-\d{1,18}$", required=False)
    where = forms.CharField(max_length=80, required=False)
    patient = forms.IntegerField(required=False)
    seq = forms.IntegerField(required=False)

    @property
    def sent_to(self) -> dict[str, Any]:
        """What `send_on` takes: another doctor, or whoever is first free in a department."""
        kind, _, number = self.cleaned_data["to"].partition("-")
        return {f"{kind}_id": int(number)}


class PlanForm(forms.Form):
    """A change of a session or of a slot: what is asked, and which preview was seen."""

    slot = forms.IntegerField(required=False)
    capacity = forms.IntegerField(required=False, min_value=0, max_value=1000)
    minutes = forms.IntegerField(required=False, min_value=0, max_value=24 * 60)
    other = forms.IntegerField(required=False, min_value=0, max_value=24 * 60)
    move = forms.BooleanField(required=False)
    reason = forms.CharField(max_length=300, required=False)
    plan = forms.IntegerField(required=False)
    version = forms.IntegerField(required=False, min_value=0)
    seen = forms.CharField(max_length=64, required=False)
    asked = forms.CharField(max_length=64, required=False)

    def __init__(self, data: Any, *, verb: str) -> None:
        super().__init__(data)
        self.verb = verb

    @property
    def late(self) -> int | None:
        """How many minutes late: what was written, else what was chosen."""
        other: int | None = self.cleaned_data["other"]
        minutes: int | None = self.cleaned_data["minutes"]
        return minutes if other is None else other

    @property
    def moves(self) -> bool:
        """Whether those not seen are moved. Unasked, a cancelled session moves them and a closed one does not."""
        said = "move" in self.data or "move_asked" in self.data
        return bool(self.cleaned_data["move"]) if said else self.verb == "cancel"

    @property
    def choices(self) -> str:
        """The choices in one word: who saw the preview of others has not seen this one."""
        if self.verb == "capacity":
            return str(self.cleaned_data["capacity"])
        return "moves" if self.verb in ("close", "cancel") and self.moves else self.verb

    @property
    def who(self) -> list[str]:
        """The numbers of those who would have lost their place in the preview that was seen."""
        return [number for number in str(self.data.get("who", "")).split(",") if number]
