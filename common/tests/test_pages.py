"""People get the same refusals as clients: as a page, as a fragment for htmx, as JSON under the API."""

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

from common import pages
from common.errors import Refused, TooManyRequests


class SlotClosed(Refused):
    code = "slot_closed"
    sentence = "The slot {slot} is closed."

    def aftermath(self, *, address: str | None, method: str, path: str) -> None:
        TRACES.append(path)


TRACES: list[str] = []


def get(path: str = "/desk/", **headers: str) -> HttpRequest:
    return RequestFactory().get(path, headers=headers)


def middleware() -> pages.RefusalMiddleware:
    return pages.RefusalMiddleware(lambda request: HttpResponse("fine"))


def test_a_refusal_is_a_page_with_its_sentence() -> None:
    answer = pages.refusal(get(), SlotClosed(slot=41))
    assert answer.status_code == 409
    assert "The slot 41 is closed." in answer.content.decode()


def test_htmx_gets_a_fragment_for_the_messages() -> None:
    answer = pages.refusal(get(**{"HX-Request": "true"}), SlotClosed(slot=41))
    assert answer.headers["HX-Retarget"] == "#messages"
    assert "The slot 41 is closed." in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_who_must_wait_is_told_how_long() -> None:
    assert pages.refusal(get(), TooManyRequests(wait=9)).headers["Retry-After"] == "9"


def test_the_middleware_answers_refusals_lets_them_leave_their_trace_and_leaves_faults_to_django() -> None:
    TRACES.clear()
    answer = middleware().process_exception(get(), SlotClosed(slot=41))
    assert answer is not None
    assert answer.status_code == 409
    assert TRACES == ["/desk/"]
    assert middleware().process_exception(get(), ZeroDivisionError()) is None
    assert middleware()(get()).content == b"fine"


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (pages.bad_request(get("/api/v1/x/"), Exception("inside")), 400, "invalid"),
        (pages.permission_denied(get("/api/v1/x/"), Exception("inside")), 403, "permission_denied"),
        (pages.not_found(get("/api/v1/x/"), Exception("inside")), 404, "not_found"),
        (pages.server_error(get("/api/v1/x/")), 500, "error"),
    ],
)
def test_the_last_resort_under_the_api_is_json(answer: HttpResponse, status: int, code: str) -> None:
    assert answer.status_code == status
    assert f'"code": "{code}"' in answer.content.decode()
    assert "inside" not in answer.content.decode()


def compressed(answer: HttpResponse) -> HttpResponse:
    asked = get(**{"Accept-Encoding": "gzip, br"})
    return pages.PagesCompressed(lambda request: answer)(asked)  # type: ignore[return-value]


def test_a_page_is_compressed() -> None:
    answer = compressed(HttpResponse("A-017 " * 500))
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.content) < 400


def test_an_answer_of_the_api_keeps_its_etag() -> None:
    answer = compressed(HttpResponse("[1]" * 500, content_type="application/json", headers={"ETag": '"7"'}))
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["ETag"] == '"7"'


def test_a_stream_is_not_held_up() -> None:
    answer = compressed(StreamingHttpResponse(iter(["A-017 " * 500]), content_type="text/html"))  # type: ignore[arg-type]
    assert "Content-Encoding" not in answer.headers
