"""Pages that stay true while they are open: a stream beside a page, which sends the parts that changed.

A page renders its parts from the same frame that its stream reads, and says which version it shows::

    def board_watch(facility: Facility) -> Watch:
        def read() -> Frame:
            with timezone.override(facility.tz):
                return Frame.of({"calls": render_to_string("reception/_calls.html", calls(facility))})
        return Watch(key=("board", facility.pk), read=read, facility_id=facility.pk)

    def board(request, slug):
        watch = board_watch(facility := get_facility(slug))
        return render(request, "reception/board.html", {"facility": facility, "frame": watch.read()})

    @live_page
    def board_stream(request, slug) -> Watch:           # path("board/<slug>/stream/", ...)
        return board_watch(get_facility(slug))

    {# board.html #}
    <body data-stream="{% url 'board_stream' facility.slug %}" data-seen="{{ frame.version }}">
      <span class="live" id="live" hidden></span>
      {% for part in frame.parts.values %}{{ part|safe }}{% endfor %}
      <script type="module" src="{% static 'js/live.js' %}"></script>

Children that come, go and change places stand in an element with `data-parts`, and the frame has a part
`arranged("columns", ["col-7", "col-9"])` under the same id beside the parts of the children.

For who reaches the page by signing in, `admit` wears `@staff` under `@live_page`. In tests,
`client.get(".../stream/").watch.read()` is the frame.
"""

import functools
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.again import as_of_now
from common.errors import DomainError
from common.streams import EventStream
from tokens.live import Frame, Watch
from tokens.live.sending import events

Admit = Callable[..., Watch]


class PageStream(EventStream):
    """The stream of a page.

    Attributes:
        watch: what it sends; for tests.
    """

    watch: Watch


def live_page(admit: Admit) -> Callable[..., HttpResponseBase]:
    """The view of a page's stream; its address ends in `/stream/`.

    Args:
        admit: signs in, checks permissions and says what the page watches; raises as pages do. It is asked again
            each minute, and where it then refuses or answers otherwise the stream ends: the browser asks anew.
    """

    @require_GET
    @never_cache
    @functools.wraps(admit)
    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        ask = functools.partial(_ask, admit, args=args, kwargs=kwargs)
        found = ask(request)
        if not isinstance(found, Watch):
            # The way to the sign-in page is for people; the script hears that it is time to go there.
            return HttpResponse(status=401) if found.status_code in (301, 302) else found
        seen = request.headers.get("Last-Event-ID") or request.GET.get("seen", "")
        allowed = functools.partial(_still, ask, request, found)
        public = not getattr(admit, "for_staff", False)
        answer = PageStream(lambda: _events(found, seen, allowed), public=public)
        answer.watch = found
        return answer

    return view


def _ask(admit: Admit, request: HttpRequest, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Watch | HttpResponseBase:
    """The watch in the reader's language, or the answer that a decorator of `admit` gave instead."""
    found = cast("Watch | HttpResponseBase", admit(request, *args, **kwargs))
    if not isinstance(found, Watch):
        return found
    language = translation.get_language() or settings.LANGUAGE_CODE
    return replace(found, key=(found.key, language), read=functools.partial(_in_language, language, found.read))


def _in_language(language: str, read: Callable[[], Frame | None]) -> Frame | None:
    with translation.override(language):
        return read()


def _still(ask: Callable[[HttpRequest], Watch | HttpResponseBase], request: HttpRequest, was: Watch) -> bool:
    """Whether who was let in would be let in again to the same: signed in still, with the same permissions."""
    again = as_of_now(request)
    try:
        with translation.override(was.key[1]):  # type: ignore[index]
            found = ask(again)
    except (DomainError, Http404, PermissionDenied):
        return False
    return isinstance(found, Watch) and found.key == was.key


async def _events(watch: Watch, seen: str, allowed: Callable[[], bool]) -> AsyncGenerator[bytes, None]:
    """Events as they go over the wire: the parts that the page does not show yet."""

    def write(frame: Frame, seen: str) -> bytes:
        names = [name for name in frame.unseen(seen) if watch.only is None or name in watch.only]
        return frame.event(tuple(names)) if names else b""

    yield b": live\n\n"
    async with aclosing(events(watch, write, allowed=allowed, seen=seen)) as pieces:
        async for piece in pieces:
            yield piece
