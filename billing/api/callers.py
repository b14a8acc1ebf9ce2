"""For which facility, patient, departments and doctors somebody asks."""

from collections.abc import Sequence
from typing import Final

from accounts.models import Facility, User
from accounts.permissions import reach, require_anywhere, within
from accounts.queries import only_facility
from billing.models import Drawer
from billing.rules import LineIn
from common.errors import BadInput, NotFound
from patients.models import Patient
from scheduling.models import Department, Doctor

_PLACES: Final = (("department", Department), ("doctor", Doctor))


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


def facilities_asked(facility_id: int | None, *, by: User, code: str) -> list[Facility]:
    """The facility that was named, else all in which the caller may do this, by name. One query.

    Raises:
        NotFound, PermissionDenied: as `facility_asked`.
    """
    if facility_id is not None:
        return [facility_asked(facility_id, by=by, code=code)]
    return list(
        Facility.objects.filter(within(require_anywhere(by, code), "pk"), is_active=True).order_by("name", "pk")
    )


def facility_of_desk(facility_id: int | None, drawer_id: int | None, *, by: User) -> int:
    """Where a shift is to be opened: as named, else where the drawer is, else where the caller has any drawers.

    Raises:
        NotFound, PermissionDenied, BadInput: as `facility_asked`.
    """
    if facility_id is None:
        mine = Drawer.objects.filter(within(require_anywhere(by, "billing.take")), is_active=True)
        drawers = mine.filter(pk=drawer_id) if drawer_id is not None else mine
        found = list(drawers.order_by().values_list("facility_id", flat=True).distinct()[:2])
        if len(found) == 1:
            return found[0]
    return facility_asked(facility_id, by=by, code="billing.take").pk


def patient_billed(patient_id: int) -> Patient:
    """The patient whom a body names: money moves where a patient is registered. Whether the caller may, actions ask.

    Raises:
        NotFound: 404, there is no such patient.
    """
    patient = Patient.objects.filter(pk=patient_id).first()
    if patient is None:
        raise NotFound("There is no such patient here.", attr="patient")
    return patient


def require_places(lines: Sequence[LineIn], facility_id: int) -> None:
    """Let pass lines whose departments and doctors are of the facility. One query for each kind that is named.

    Raises:
        BadInput: 400, with the line to blame.
    """
    for name, model in _PLACES:
        named = [getattr(line, f"{name}_id") for line in lines]
        if any(named):
            known = set(model.objects.filter(pk__in=named, facility_id=facility_id).values_list("pk", flat=True))
            for index, pk in enumerate(named):
                if pk is not None and pk not in known:
                    raise BadInput(f"There is no such {name} here.", attr=f"lines.{index}.{name}")
