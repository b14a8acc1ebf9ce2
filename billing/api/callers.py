"""For which facility and which patient somebody asks."""

from accounts.models import Facility, User
from accounts.permissions import reach
from accounts.queries import only_facility
from common.errors import NotFound
from patients.models import Patient


def facility_asked(facility_id: int | None, *, by: User, code: str) -> Facility:
    """The facility that was named, else the only one in which the caller may do this.

    Raises:
        NotFound: 404, there is no such facility, or the caller has no part in it (which is recorded).
        PermissionDenied: 403.
        BadInput: 400, there are several and none was named.
    """
    if facility_id is None:
        return only_facility(by, code)
    facility = Facility.objects.filter(pk=facility_id).first()
    if facility is None:
        raise NotFound("There is no such facility.", attr="facility")
    reach(by, code, facility, facility_id=facility.pk)
    return facility


def patient_billed(patient_id: int) -> Patient:
    """The patient whom a body names: money moves where a patient is registered. Whether the caller may, actions ask.

    Raises:
        NotFound: 404, there is no such patient.
    """
    patient = Patient.objects.filter(pk=patient_id).first()
    if patient is None:
        raise NotFound("There is no such patient here.", attr="patient")
    return patient
