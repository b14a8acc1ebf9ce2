"""What the actions of this app share: the facility's lock, the rows it holds, and a save that loses no update."""

from typing import Any, Final, TypeVar

from django.core.exceptions import ValidationError
from django.db import connection, models, transaction

from accounts.history import signed
from accounts.models import Facility, User
from accounts.permissions import reach
from common.api.etag import require_version
from common.errors import NotFound
from scheduling.errors import NotValid
from scheduling.models import Department, DepartmentMember, Doctor, Room, ScheduleLine

Row = TypeVar("Row", Department, Room, Doctor, ScheduleLine)
New = TypeVar("New", Department, DepartmentMember, Room, Doctor, ScheduleLine)
Thing = TypeVar("Thing", bound=models.Model)

EDIT: Final = "scheduling.edit"

_ROADS: Final[dict[type[models.Model], str]] = {
    Facility: "pk",
    Department: "departments",
    Room: "rooms",
    Doctor: "doctors",
    ScheduleLine: "doctors__schedule_lines",
}


def lock_facility(model: type[models.Model], pk: int, *, by: User | None, code: str = EDIT) -> Facility:
    """Lock the facility of a row against everybody else who changes its schedules, and return it.

    Taken before any session's lock. Tokens and patients only refer to the facility: they do not wait.

    Args:
        model, pk: the facility itself, or a department, room, doctor or line of it.
        by: who wants this, and must hold `code` there; None for commands and jobs.

    Raises:
        NotFound: there is no such row, or it is another facility's.
        PermissionDenied: `by` lacks the permission.
        TransactionManagementError: no transaction is open.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("lock_facility works inside a transaction only")
    rows = Facility.objects.select_for_update(of=("self",), no_key=True)
    facility = rows.filter(**{_ROADS[model]: pk}).first()
    if facility is None:
        raise NotFound(f"There is no such {model._meta.verbose_name}.")
    if by is not None:
        reach(by, code, model(pk=pk), facility_id=facility.pk)
    return facility


def of_facility(facility: Facility, model: type[Thing], pk: int, *, attr: str) -> Thing:
    """The department or room of this facility with an id that came beside the main one.

    Raises:
        NotValid: the facility has none such.
    """
    row: Thing | None = model._default_manager.filter(pk=pk, facility=facility).first()
    if row is None:
        raise NotValid(f"There is no such {model._meta.verbose_name} in this facility.", attr=attr)
    return row


def create(row: New, *, by: User | None) -> New:
    """Check a new row and write it.

    Raises:
        NotValid: a value that the row may not have, or a name that is already there.
    """
    check(row)
    with signed(by):
        row.save(force_insert=True)
    return row


def change(row: Row, changes: dict[str, Any], *, read: int | None, by: User | None) -> Row:
    """Write the changes to a row that was read under the facility's lock, as its next version.

    Args:
        read: the version that the caller had read; None takes any.

    Raises:
        PreconditionFailed: somebody has changed the row since.
        NotValid: a value that the row may not have, or a name that is already there.
    """
    require_version(row.version, read)
    for name, value in changes.items():
        setattr(row, name, value)
    row.version += 1
    check(row)
    with signed(by):
        row.save(update_fields=[*changes, "version"])
    return row


def check(row: models.Model) -> None:
    """Ask the model's own validators and constraints, which stand in the database too.

    Raises:
        NotValid: the first thing that is wrong, with its field.
    """
    try:
        row.full_clean()
    except ValidationError as error:
        field, sentences = next(iter(error.message_dict.items()))
        raise NotValid(sentences[0], attr=None if field == "__all__" else field) from error
