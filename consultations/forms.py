"""What a step at the console may carry, checked before an action sees it."""

from django import forms

TO = r"^(doctor|department)-\d{1,18}$"


class StepForm(forms.Form):
    """Which patient, for how long, where to and why; and what the button was read beside (`calls`, `seq`)."""

    token = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    calls = forms.IntegerField(required=False, min_value=0, max_value=2**31)
    seq = forms.IntegerField(required=False, min_value=1, max_value=2**31)
    minutes = forms.IntegerField(required=False, min_value=0, max_value=240)
    place = forms.CharField(required=False, max_length=80)
    other = forms.CharField(required=False, max_length=80)
    to = forms.RegexField(TO, required=False, max_length=40)
    reason = forms.CharField(required=False, max_length=300)

    @property
    def where(self) -> str:
        """Where the patient is sent: what was typed, else what was chosen."""
        return str(self.cleaned_data["other"] or self.cleaned_data["place"]).strip()
