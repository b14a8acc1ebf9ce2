"""Who asks, looked up anew: for what goes on long after the request, such as a stream."""

import copy
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest


def as_of_now(request: HttpRequest) -> HttpRequest:
    """The same request as if it came now: its session and its user are read again, as they are in the database."""
    again = copy.copy(request)
    for cached in ("_cached_user", "_acached_user"):
        again.__dict__.pop(cached, None)
    again.session = import_module(settings.SESSION_ENGINE).SessionStore(request.session.session_key)
    again.user = get_user(again)
    return again
