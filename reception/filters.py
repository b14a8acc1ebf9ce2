"""Which doctors a page shows: its filters with their counts, and the one that is chosen. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from reception.hall import Column

MANY = 6
"""Where more doctors than this are in session, the overview is shown unless somebody chose the columns."""


@dataclass(frozen=True, slots=True)
class Tab:
    """A filter."""

    value: str
    label: str
    count: int
    current: bool


@dataclass(slots=True)
class Hall:
    """The columns that a filter leaves, of all that there are, and the filters that can be chosen."""

    chosen: str
    columns: list[Column]
    everything: list[Column]
    tabs: list[Tab] = field(default_factory=list)

    @property
    def ids(self) -> list[int]:
        """The sessions that are shown."""
        return [column.session.id for column in self.columns]


def by_phase(columns: list[Column], chosen: str, *, user_id: int, today: bool) -> Hall:
    """The desk's filters: one's own, who is in now, who comes later, who is done; and the departments.

    Without a choice: the first that has somebody.
    """
    groups = {
        "mine": (_("Mine"), [c for c in columns if user_id and c.names.doctor_user_id == user_id]),
        "now": (_("In now"), [c for c in columns if today and c.phase == "now"]),
        "later": (_("Later today"), [c for c in columns if today and c.phase == "later"]),
        "over": (_("Over"), [c for c in columns if today and c.phase == "over"]),
        "all": (_("All"), columns),
        **_departments(columns),
    }
    return _hall(columns, groups, chosen, hidden={"all"} if today else {"mine", "now", "later", "over"})


_WANTED: dict[str, Callable[[Column], bool]] = {
    "free": lambda column: column.next_free is not None,
    "late": lambda column: column.late or column.overdue,
    "waiting": lambda column: column.waiting > 0,
}


def by_need(columns: list[Column], chosen: str) -> Hall:
    """The overview's filters: everybody, who has a free place, who is late, where people wait; and the departments."""
    labels = {"free": _("Free place"), "late": _("Late"), "waiting": _("Wait for a place")}
    groups = {
        "all": (_("All today"), columns),
        **{name: (label, [c for c in columns if _WANTED[name](c)]) for name, label in labels.items()},
        **_departments(columns),
    }
    return _hall(columns, groups, chosen, hidden=set())


def many(columns: Iterable[Column]) -> bool:
    """Whether so many doctors are in session that a row for each says more than a column."""
    return sum(column.phase == "now" for column in columns) > MANY


Groups = dict[str, tuple[str, list[Column]]]


def _departments(columns: list[Column]) -> Groups:
    """A filter for each department, where there are several."""
    groups: Groups = {}
    for column in columns:
        name = f"department-{column.session.department_id}"
        groups.setdefault(name, (column.names.department, []))[1].append(column)
    return groups


def _hall(columns: list[Column], groups: Groups, chosen: str, *, hidden: set[str]) -> Hall:
    if chosen not in groups:
        chosen = next((name for name, (_label, members) in groups.items() if members), "all")
    tabs = [
        Tab(name, label, len(members), name == chosen)
        for name, (label, members) in groups.items()
        if name == chosen or (members and name not in hidden)
    ]
    return Hall(chosen, groups[chosen][1], columns, tabs)
