"""The board of a waiting hall: public, without names unless the facility shows them, read once for all its screens."""

import math
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.html import json_script
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.models import Facility, Language
from common.api.throttling import AddressThrottle, counted
from common.errors import TooManyRequests
from common.kept import Kept
from reception.board import Call, sentence
from reception.board_queries import Board, Choices, Wish, board, choices
from reception.errors import NoSuchBoard, NotNumbers
from reception.streaming import live_page
from tokens.live import Frame, Watch

THEMES: Final = ("light", "dark")
_frames: Kept[Frame | None] = Kept(seconds=1)
"""What screens that open at once are shown; the streams keep them fresh from there."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A board in a language. Everything that its HTML depends on is here or in the database."""

    wish: Wish
    language: str

    @property
    def query(self) -> str:
        """The same board in an address."""
        wish: list[tuple[str, object]] = [("lang", self.language)]
        if self.wish.department_id is not None:
            wish.append(("department", self.wish.department_id))
        return urlencode(wish + [("rooms", room) for room in sorted(self.wish.room_ids)])


@never_cache
@require_GET
def board_page(request: HttpRequest, slug: str) -> HttpResponse:
    """The whole page. Eight queries the first time, none when others have just asked for it."""
    _not_too_often(request)
    known = choices(slug)
    screen = _screen(request, known)
    frame = _frames.get(screen, lambda: read(screen))
    if frame is None:
        raise NoSuchBoard
    with translation.override(screen.language), timezone.override(known.facility.tz):
        response = render(request, "reception/board.html", _context(request, known, screen, frame))
    response["Content-Language"] = screen.language
    return response


@live_page
def stream(request: HttpRequest, slug: str) -> Watch:
    """What changed on the board since the screen's version."""
    _not_too_often(request)
    screen = _screen(request, choices(slug))
    return Watch(key=("board", screen), read=lambda: read(screen), facility_id=screen.wish.facility_id)


def read(screen: Screen) -> Frame | None:
    """The board as HTML: its rooms, and its calls with what is spoken; nothing where the facility is gone."""
    with translation.override(screen.language):
        found = board(screen.wish)
        if found is None:
            return None
        rooms = render_to_string("reception/_board_rooms.html", _rooms(found, screen.wish))
    return Frame.of({"rooms": rooms.strip(), "calls": _calls(found)})


def _not_too_often(request: HttpRequest) -> None:
    """Count a stranger's request."""
    if counted(request):
        return
    wait = AddressThrottle.window.hit(request.META.get("REMOTE_ADDR", ""))
    if wait is not None:
        raise TooManyRequests(wait=max(1, math.ceil(wait)))


# What the address asks for


def _screen(request: HttpRequest, known: Choices) -> Screen:
    """The board that an address asks for; unknown departments and rooms are none.

    Raises:
        NotNumbers: something else than ids.
        NoSuchBoard: no such department or rooms here.
    """
    departments = _ids(request, "department") & {each.pk for each in known.departments}
    rooms = _ids(request, "rooms") & {each.pk for each in known.rooms}
    if (_ids(request, "department") and not departments) or (_ids(request, "rooms") and not rooms):
        raise NoSuchBoard
    wish = Wish(known.facility.pk, next(iter(departments), None), frozenset(rooms))
    asked = request.GET.get("lang", "")
    return Screen(wish, asked if asked in Language.values else known.facility.languages[0])


def _ids(request: HttpRequest, name: str) -> set[int]:
    words = ",".join(request.GET.getlist(name)).replace(",", " ").split()
    if not all(word.isascii() and word.isdecimal() and len(word) < 19 for word in words):
        raise NotNumbers(attr=name)
    return {int(word) for word in words}


# What the templates show


def _context(request: HttpRequest, known: Choices, screen: Screen, frame: Frame) -> dict[str, Any]:
    wish = screen.wish
    theme = request.GET.get("theme", "")
    return {
        "facility": known.facility,
        "department": next((each for each in known.departments if each.pk == wish.department_id), None),
        "choices": known,
        "languages": [Language(code) for code in known.facility.languages],
        "spoken": _spoken(known.facility),
        "all_languages": Language.choices,
        "screen": screen,
        "theme": theme if theme in THEMES else "",
        "now": timezone.now(),
        "version": frame.version,
        "rooms": mark_safe(frame.parts["rooms"]),  # noqa: S308 (rendered by our own template)
        "calls": mark_safe(frame.parts["calls"]),  # noqa: S308 (escaped where it was made)
    }


def _rooms(found: Board, wish: Wish) -> dict[str, Any]:
    return {"lines": found.lines, "with_department": wish.department_id is None}


def _spoken(facility: Facility) -> list[dict[str, str]]:
    """The facility's languages as voices know them, with a sentence to try each."""
    sample = Call("A-017", "Room 4", timezone.now())
    return [
        {"lang": _voice(code, facility), "name": Language(code).label, "text": _say(code, sample)}
        for code in facility.languages
    ]


def _calls(found: Board) -> str:
    """The calls that stand, the oldest first, as data that the screen announces; it is escaped."""
    calls = sorted((call for line in found.lines for call in line.calls), key=lambda call: call.at)
    return json_script([_announcement(call, found.facility) for call in calls], "calls")


def _announcement(call: Call, facility: Facility) -> dict[str, Any]:
    say = [{"lang": _voice(code, facility), "text": _say(code, call)} for code in facility.languages]
    return {"id": call.id, "at": int(call.at.timestamp() * 1000), "say": say}


def _say(language: str, call: Call) -> str:
    with translation.override(language):
        return sentence(call)


def _voice(language: str, facility: Facility) -> str:
    """A language as voices are listed, such as en-IN: people are best understood in the tone of their country."""
    return f"{language}-{facility.phone_region}"
