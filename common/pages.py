"""The same translation for people: refusals as a page or as a fragment for htmx, and the pages of last resort.

Under ``/api/`` even these answer in JSON: an unknown address, and a fault before any view was reached.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import render
from django.utils import translation
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext_noop as _

from common.api.exceptions import as_domain_error, body_of, leave_trace
from common.errors import BadInput, DomainError, Forbidden, NotFound

API = "/api/"


class ServerFault(DomainError):
    """A fault of ours, of which the caller learns nothing but that it happened."""

    code = "error"
    status = 500
    sentence = _("Something went wrong on our side. It has been recorded.")


def refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The answer to a refused request: JSON under the API, else ``refusal.html``.

    htmx gets the fragment ``_refusal.html`` and is told to show it in the page's ``#messages``.
    """
    response: HttpResponse
    if request.path.startswith(API):
        response = JsonResponse(body_of(error), status=error.status)
    elif request.headers.get("HX-Request"):
        response = render(request, "_refusal.html", {"error": error}, status=error.status)
        response.headers["HX-Retarget"] = "#messages"
        response.headers["HX-Reswap"] = "innerHTML"
    else:
        response = render(request, "refusal.html", {"error": error}, status=error.status)
    for name, value in error.headers.items():
        response.headers[name] = value
    return response


class RefusalMiddleware:
    """Turns a domain error that a page let through into an answer. The API's views have done so themselves."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer what is a refusal; leave the faults to Django."""
        error = as_domain_error(exception)
        if error is None:
            return None
        leave_trace(error, request)
        return refusal(request, error)


class PagesCompressed(GZipMiddleware):
    """Compresses pages, and nothing else: the API's ETags stay strong, streams are never held up."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Compress HTML for browsers that take it."""
        if response.streaming or not response.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)


class HouseLanguage(MiddlewareMixin):
    """Every request begins in the language of the house: a page that patients read chooses theirs itself."""

    def process_request(self, request: HttpRequest) -> None:
        """Forget what the thread spoke before."""
        translation.activate(settings.LANGUAGE_CODE)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """``handler400``."""
    return refusal(request, as_domain_error(exception) or BadInput())


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """``handler403``."""
    return refusal(request, Forbidden())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """``handler404``."""
    return refusal(request, NotFound(_("There is nothing at this address.")))


def server_error(request: HttpRequest, *args: Any) -> HttpResponse:
    """``handler500``."""
    return refusal(request, ServerFault())
