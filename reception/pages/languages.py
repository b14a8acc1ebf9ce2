"""In which language a public page speaks: the one asked for, the one chosen before, the browser's, the facility's."""

from collections.abc import Sequence
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation.trans_real import parse_accept_lang_header

from accounts.models import Language

COOKIE: Final = "lang"
YEAR: Final = 365 * 24 * 3600

NAMES: Final = {
    Language.ENGLISH.value: "English",
    Language.HINDI.value: "हिन्दी",
    Language.ARABIC.value: "العربية",
}
"""What each language calls itself."""


def chosen(request: HttpRequest, preferred: Sequence[str]) -> str:
    """The language of a page.

    Args:
        preferred: the facility's, the first one first. What the browser likes counts among these; who asks for
            another one by name gets it.
    """
    for asked in (request.GET.get("lang", ""), request.COOKIES.get(COOKIE, "")):
        if asked in NAMES:
            return asked
    for wanted, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "").lower()):
        language = wanted.partition("-")[0]
        if language in preferred and language in NAMES:
            return language
    return next((language for language in preferred if language in NAMES), settings.LANGUAGE_CODE)


def remember(request: HttpRequest, response: HttpResponse, language: str) -> None:
    """Say in which language the answer is; keep it where the person has asked for it."""
    response.headers["Content-Language"] = language
    if request.GET.get("lang") == language:
        response.set_cookie(
            COOKIE, language, max_age=YEAR, samesite="Lax", httponly=True, secure=settings.SESSION_COOKIE_SECURE
        )
