"""The parts of the cash desk that follow by themselves: the shift, the tabs, the rows. HTML by the id of its element.

The list is the facility's and is read once for all cashiers; the head is the shift of who looks.
"""

import datetime as dt
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.safestring import SafeString, mark_safe

from accounts.models import Facility, User
from billing.queries import current_shift, shift_report
from reception.cash.listing import TABS, UNPAID, Listed, listed
from tokens.live import Frame, shared
from tokens.live.frames import arranged

ROWS = "cash-rows"


@dataclass(frozen=True, slots=True)
class Sight:
    """What the parts depend on.

    Attributes:
        date: the facility's date of now.
        user_id: whose shift stands in the head.
        takes: whether they may have one.
        oversees: whether they may see and close the shifts of others.
        page: of a list that has pages.
    """

    facility_id: int
    date: dt.date
    tab: str
    user_id: int
    takes: bool
    oversees: bool = False
    page: int = 1
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Parts:
    """What stands on the page.

    Attributes:
        names: the ids of the rows, in order.
    """

    frame: Frame
    names: tuple[str, ...]
    listed: Listed

    def safe(self, name: str) -> SafeString:
        """The HTML of a part for the whole page."""
        return mark_safe(self.frame.parts[name])  # noqa: S308 - our templates' own

    @property
    def rows(self) -> SafeString:
        """All rows."""
        return mark_safe("".join(self.frame.parts[name] for name in self.names))  # noqa: S308 - our templates' own


def parts(facility: Facility, sight: Sight) -> Parts:
    """The parts as they are now. Seven queries at most."""
    with timezone.override(facility.tz), translation.override(sight.language):
        found = shared(
            ("cash", facility.pk, sight.date, sight.tab, sight.page, sight.language),
            lambda: listed(facility, sight.date, sight.tab, sight.page),
        )
        rows = _rows(found)
        html = {
            "cash-shift": _write("_shift", _shift(facility, sight, found)),
            "cash-tabs": _write("_tabs", {"listed": found, "tabs": _tabs(sight, found)}),
            "cash-pages": _write("_pages", {"listed": found, "paged": sight.tab == UNPAID, "facility": facility}),
            ROWS: arranged(ROWS, rows),
            **rows,
        }
    return Parts(Frame.of(html), tuple(rows), found)


def frame(sight: Sight) -> Frame | None:
    """What the stream sends; nothing where the facility is gone."""
    facility = Facility.objects.filter(pk=sight.facility_id, is_active=True).first()
    return parts(facility, sight).frame if facility else None


def _shift(facility: Facility, sight: Sight, found: Listed) -> dict[str, object]:
    shift = current_shift(User(pk=sight.user_id), facility.pk)
    return {
        "facility": facility,
        "takes": sight.takes,
        "oversees": sight.oversees,
        "shift": shift,
        "report": shift_report(shift) if shift else None,
        "others": found.counts["shifts"] - bool(shift),
    }


def _tabs(sight: Sight, found: Listed) -> list[tuple[str, object, int, bool]]:
    """Name, words and count of each tab that is shown, and whether it is this one."""
    current = "pay" if sight.tab == UNPAID else sight.tab
    kept = {"drafts": found.counts["drafts"] > 0, "shifts": sight.oversees}
    shown = [each for each in TABS if each == current or kept.get(each, True)]
    return [(each, TABS[each], found.counts[each], each == current) for each in shown]


def _rows(found: Listed) -> dict[str, str]:
    """Each row by its id; one that says so where there is none, one at the end where there are more."""
    rows = {row.name: _write("_row", {"row": row, "listed": found}) for row in found.rows}
    if not rows:
        rows["cash-none"] = _write("_none", {"tab": found.tab})
    if found.more and found.tab != UNPAID:
        rows["cash-more"] = _write("_more", {"n": found.more, "tab": found.tab})
    return rows


def _write(name: str, context: dict[str, object]) -> str:
    return render_to_string(f"cash/{name}.html", context).strip()
