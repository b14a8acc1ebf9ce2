"""The site map, an endless stream, and an address that tells what arrived."""

import asyncio
import hashlib
from collections.abc import AsyncIterator

from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from opd_engine.urls import urlpatterns as real


async def endless(request: HttpRequest) -> StreamingHttpResponse:
    async def lines() -> AsyncIterator[str]:
        yield "data: first\n\n"
        await asyncio.Event().wait()

    return StreamingHttpResponse(lines(), content_type="text/event-stream")


@csrf_exempt
def echo(request: HttpRequest) -> JsonResponse:
    digest = hashlib.sha256(request.read()).hexdigest()
    return JsonResponse({"digest": digest, "query": request.GET, "length": request.META["CONTENT_LENGTH"]})


def long(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"0123456789" * 300_000)


urlpatterns = [*real, path("test/stream/", endless), path("test/echo/", echo), path("test/long/", long)]
