"""Who is to be told that their place changed or that it is time: the numbers in the head, the list in the drawer."""

import datetime as dt
from typing import Any, Final
from uuid import uuid4

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from accounts.models import Facility
from accounts.permissions import require
from common.kept import Kept
from reception.actions import TELL
from reception.models import PatientTold
from reception.pages.frame import Place, person
from reception.to_tell import SHOWN, Clock, Untold, sentence, to_tell
from tokens.live import shared

PARTS: Final = ("tell", "tell-list")

_kept: Final[Kept[dict[str, str]]] = Kept(seconds=60, most=40)
"""The HTML by who is to be told of what: a desk is read far more often than anybody is displaced."""


def telling(facility: Facility) -> dict[str, str]:
    """How many are to be told, and the list for who has opened it. One query, shared by all screens that
    one change wakes.

    The language and the facility's clock are set by the caller.
    """
    today = facility.local_date()

    def clock(at: dt.datetime) -> str:
        local = timezone.localtime(at, facility.tz)
        return date_format(local, "H:i" if local.date() == today else "D j M, H:i")

    untold = shared(("to tell", facility.pk), lambda: to_tell(facility))
    return dict(_kept.get((*untold, today, facility.time_zone, get_language()), lambda: _written(untold, clock)))


def _written(untold: list[Untold], clock: Clock) -> dict[str, str]:
    changed = [each for each in untold if not each.absent]
    absent = [each for each in untold if each.absent]
    context = {
        "changed": [(each, _said(each, clock), clock(each.since)) for each in changed[:SHOWN]],
        "absent": [(each, _said(each, clock), clock(each.since)) for each in absent[:SHOWN]],
        "count": len(changed),
        "missing": len(absent),
        "more": max(0, len(changed) - SHOWN) + max(0, len(absent) - SHOWN),
    }
    return {name: render_to_string(f"reception/_{name.replace('-', '_')}.html", context).strip() for name in PARTS}


def _said(untold: Untold, clock: Clock) -> SafeString:
    """The sentence, in which the number is never broken over two lines."""
    number = format_html('<span class="num">{}</span>', untold.number)
    return mark_safe(escape(sentence(untold, clock)).replace(escape(untold.number), number))  # noqa: S308 - escaped


def to_be_told(request: HttpRequest, where: Place, *, done: PatientTold | None = None) -> dict[str, Any]:
    """What the drawer shows.

    Args:
        done: who was just told, with the undo of it.

    Raises:
        PermissionDenied
    """
    require(person(request), TELL, where.facility.pk)
    with timezone.override(where.facility.tz):
        found = telling(where.facility)
    listed = mark_safe(found["tell-list"])  # noqa: S308 - our templates' own
    head = mark_safe(found["tell"])  # noqa: S308
    return {"drawer": "tell", "tell_list": listed, "tell": head, "done": done, "key": uuid4(), "where": where}


def last_told(request: HttpRequest) -> PatientTold | None:
    """Who the page was asked to offer the undo of, where that is one's own and not undone."""
    asked = request.GET.get("done", "")
    if not asked.isdecimal() or len(asked) > 18:
        return None
    own = PatientTold.objects.filter(pk=asked, by=person(request), undone_at=None)
    return own.select_related("token__patient").first()
