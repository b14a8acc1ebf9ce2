"""The slip of a token: 80 mm of paper with the number, where and when, and the way to the patient's own page."""

from uuid import uuid4

import segno
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_GET, require_POST

from reception import phone, queries, token_queries
from reception.actions import print_slip
from reception.pages.frame import done_once, person, show, staff
from tokens.models import Token
from tokens.queries import read_session
from tokens.waits import given, waits


@staff
@require_GET
def slip(request: HttpRequest, token_id: int) -> HttpResponse:
    """The slip as paper. `?print=` names which printing this is: the slip itself, or a copy."""
    token = queries.get_token(token_id=token_id, by=person(request))
    prints = token_queries.slips(token)
    asked = request.GET.get("print", "")
    shown = next((each for each in prints if str(each.copy) == asked), prints[-1] if prints else None)
    address = request.build_absolute_uri(reverse("patient", args=[token.key]))
    print_now = shown is not None and str(shown.copy) == asked
    context = {
        "token": token,
        "shown": shown,
        "printed": bool(prints),
        "print_now": print_now,
        "standing": _standing(token, printing=print_now),
        "qr": qr_code(address),
        "address": address,
        "key": uuid4(),
    }
    return show(request, "reception/slip.html", token.session.facility, context)


def _standing(token: Token, *, printing: bool) -> phone.Standing | None:
    """Where the patient stands, as their own page says it; that an estimate left on paper is remembered."""
    session, now = read_session(token.session_id)
    facts = session.tokens.get(token.pk)
    if facts is None:
        return None
    wait = waits(session, now).get(token.pk)
    found = phone.standing(facts, session, now, token.session.facility.local_date(now), wait)
    if printing and found.likely is not None:
        given(token.pk, wait, where="slip", ahead=found.ahead, at=now)
    return found


@staff
@require_POST
def print_(request: HttpRequest, token_id: int) -> HttpResponse:
    """A slip goes to the printer: the printing is recorded, and the paper is opened."""
    answered = done_once(request, lambda: {"copy": print_slip(token_id=token_id, by=person(request)).copy})
    return redirect(f"{reverse('token_slip', args=[token_id])}?print={answered['copy']}")


def qr_code(address: str) -> SafeString:
    """An address as a QR code in SVG, black on white, sized by its surroundings."""
    code = segno.make(address, error="m", micro=False)
    return mark_safe(code.svg_inline(omitsize=True, border=2, light="#fff"))  # noqa: S308 - segno's own markup
