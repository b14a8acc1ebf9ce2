"""The site map, an endless stream, and an address that tells what arrived."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from common.streams import EventStream
from opd_engine.urls import urlpatterns as real


def endless(request: HttpRequest) -> EventStream:
    async def lines() -> AsyncGenerator[bytes, None]:
        yield b"data: first\n\n"
        await asyncio.Event().wait()

    return EventStream(lines)


@csrf_exempt
def echo(request: HttpRequest) -> JsonResponse:
    digest = hashlib.sha256(request.read()).hexdigest()
    return JsonResponse({"digest": digest, "query": request.GET, "length": request.META["CONTENT_LENGTH"]})


def long(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"0123456789" * 300_000)


urlpatterns = [*real, path("test/stream/", endless), path("test/echo/", echo), path("test/long/", long)]
