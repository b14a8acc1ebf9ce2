"""The registry for administrators: what they change goes through the same actions as at the desk."""

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from accounts.admin import HistoryAdmin, OfMyFacilities
from accounts.models import User
from common.errors import DomainError
from patients import actions
from patients.models import Patient

CHANGEABLE = ("name", "sex", "birth_date", "birth_year", "phone", "blood_group", "address")


class PatientForm(forms.ModelForm):
    """Brings back the version that was read, and shows a refusal beside its field."""

    read = forms.IntegerField(widget=forms.HiddenInput, required=False, label="")
    phone = forms.CharField(max_length=40, required=False)
    by: User

    class Meta:
        model = Patient
        fields = (*CHANGEABLE, "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["read"].initial = self.instance.version

    def clean(self) -> dict[str, Any]:
        """Change the patient through the action, so that its refusals are the form's errors."""
        cleaned = super().clean() or {}
        if not self.errors:
            changes: Any = {
                field: cleaned[field] for field in self.changed_data if field in cleaned and field != "read"
            }
            if {"birth_date", "birth_year"} & changes.keys():
                changes |= {"birth_date": cleaned["birth_date"]}
                changes |= {} if cleaned["birth_date"] else {"birth_year": cleaned["birth_year"]}
            try:
                # A savepoint: the form is shown again in the same transaction where the action refuses.
                with transaction.atomic():
                    self.instance = actions.update_patient(
                        patient_id=self.instance.pk, by=self.by, read=cleaned["read"], **changes
                    )
            except DomainError as error:
                raise forms.ValidationError(str(error), code=error.code) from error
        return cleaned

    def _post_clean(self) -> None:
        """The action has checked and written the row; nothing is left to copy onto it."""


@admin.register(Patient)
class PatientAdmin(OfMyFacilities, ModelAdmin):
    """Patients are registered at the desk, changed here too, and never deleted."""

    code = "patients.view"
    form = PatientForm
    list_display = ("number", "name", "sex", "birth_year", "phone", "facility", "is_active")
    list_filter = ("facility", "is_active", "sex")
    search_fields = ("number", "name", "phone")
    list_select_related = ("facility",)
    readonly_fields = ("facility", "number", "merged_into", "version", "created_at")
    fields = ("facility", "number", *CHANGEABLE, "is_active", "merged_into", "version", "created_at", "read")

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        """The form knows who saves it."""
        form = super().get_form(request, obj, change=change, **kwargs)
        form.by = request.user
        return form

    def save_model(self, request: HttpRequest, obj: Patient, form: Any, change: bool) -> None:
        """Nothing: the action has written the row."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A patient is registered at the desk, where duplicates are seen."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: the database refuses it too."""
        return False


class PatientHistoryAdmin(OfMyFacilities, HistoryAdmin):
    """What a patient's record was like after each change."""

    code = "patients.view"
    search_fields = ("number", "name")


admin.site.register(apps.get_model("patients", "PatientEvent"), PatientHistoryAdmin)
