"""What a page of the hall shows, as columns or as lines: the shared parts, and what belongs to the person alone."""

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.http import HttpRequest
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe

from reception.actions import TELL
from reception.money.queries import SEE
from reception.pages.frame import Place, may, person
from reception.pages.parts import Parts, Sight, parts

GIVES = ("walk_in", "online", "follow_up", "paid")


def hall_context(request: HttpRequest, where: Place, *, overview: bool = False, current: str = "") -> dict[str, Any]:
    """The doctors and the day's numbers. Five queries.

    Args:
        current: the id of the row that is selected. Scripts mark it themselves, also in what comes later.
    """
    sight = sight_of(request, where, own=sits(request, where), overview=overview)
    found = parts(where.day, sight)
    allowed = may(request, where.facility)
    own = f'id="{current}"'
    rows = found.inside("ov-rows" if overview else "columns")
    return {
        "where": where,
        "parts": found,
        "hall": found.hall,
        "rows": mark_safe(rows.replace(own, f'{own} aria-current="true"', 1)) if current else rows,  # noqa: S308
        **{name.replace("-", "_"): _safe(found, name) for name in ("figures", "tabs", "tell", "ov-scale")},
        "stream": _stream(where, sight, found),
        "may_give": any(allowed(f"tokens.request_{source}") for source in GIVES),
        "key": uuid4(),
    }


def _safe(found: Parts, name: str) -> SafeString:
    return mark_safe(found.html.get(name, ""))  # noqa: S308 - our templates' own


def sight_of(request: HttpRequest, where: Place, *, own: bool, overview: bool) -> Sight:
    """What the person sees of the hall.

    Args:
        own: the person is a doctor of this day; everybody else sees the same.
    """
    allowed = may(request, where.facility)
    return Sight(
        facility_id=where.facility.pk,
        date=where.date,
        show=request.GET.get("show", ""),
        own=person(request).pk if own else 0,
        may_call=allowed("tokens.call"),
        may_tell=allowed(TELL),
        language=translation.get_language() or "en",
        overview=overview,
        money=allowed(SEE),
    )


def sits(request: HttpRequest, where: Place) -> bool:
    """Whether the person is one of the doctors of the day."""
    return any(names.doctor_user_id == person(request).pk for names in where.day.names.values())


def _stream(where: Place, sight: Sight, found: Parts) -> str:
    """How the page's stream asks for the same parts."""
    query = {"show": found.hall.chosen, "today" if where.is_today else "date": where.date.isoformat()}
    more = {"own": sight.own, "overview": sight.overview}
    return urlencode(query | {name: 1 for name, wanted in more.items() if wanted})
