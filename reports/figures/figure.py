"""What every figure is made of: a heading that says what was found, a picture, its table. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from reports.periods import Period
from reports.records import Choice
from reports.tables import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a report.

    Attributes:
        key: its name in addresses and of its file.
        heading: what was found, in a sentence without its full stop.
        about: what is drawn, in which unit.
        table: its numbers; none where there is nothing to count.
        note: what one should know to read it.
        wide: takes the whole width.
        opened: its table is shown at once, for there is no picture.
    """

    key: str
    heading: str
    about: str
    table: Table | None = None
    picture: SafeString = field(default_factory=lambda: SafeString(""))
    note: str = ""
    wide: bool = False
    opened: bool = False


@dataclass(frozen=True, slots=True)
class Ground:
    """What all figures are drawn on: the period, names, the currency.

    Attributes:
        departments, doctors: by id.
    """

    period: Period
    departments: Mapping[int, Choice]
    doctors: Mapping[int, Choice]
    currency: str = "INR"

    def doctor(self, doctor_id: int | None) -> str:
        """The name of a doctor; what is of none is the house's."""
        found = self.doctors.get(doctor_id or 0)
        return found.name if found else _("No doctor")

    def department(self, department_id: int | None) -> str:
        """The name of a department."""
        found = self.departments.get(department_id or 0)
        return found.name if found else _("No department")

    def department_of(self, doctor_id: int) -> str:
        """The department of a doctor."""
        doctor = self.doctors.get(doctor_id)
        return self.department(doctor.department_id if doctor else None)
