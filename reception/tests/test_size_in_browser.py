"""What the network brings for a full desk, static files packed as the start packs them."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings

from common.testing.browser import STILL, Browsing, Transfer, layout_shift
from reception.tests.test_desk_page import full_hall

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True, scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    storages = settings.STORAGES | {"staticfiles": {"BACKEND": "opd_engine.static.PackedStorage"}}
    root = tmp_path_factory.mktemp("static")
    with override_settings(STORAGES=storages, STATIC_ROOT=root, WHITENOISE_USE_FINDERS=False):
        others = ["admin", "unfold", "drf_spectacular_sidecar", "rest_framework"]
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=others)
        yield


@pytest.mark.parametrize("path", ["/desk/?view=columns&show=all", "/overview/"])
def test_a_full_desk_is_less_than_150_kb_on_a_first_visit_and_stands_still(browsing: Browsing, path: str) -> None:
    hall = full_hall()
    page = browsing.page(browsing.context(user=hall.user("reception")))
    transfer = Transfer(page)
    page.goto(browsing.server.url + path, wait_until="load")
    page.wait_for_selector("#live:not([data-unheard])")
    assert 10_000 < transfer.bytes < 150_000, transfer.by_address
    assert layout_shift(page) < STILL


def test_a_second_visit_asks_for_no_file_again(browsing: Browsing) -> None:
    hall = full_hall()
    page = browsing.open("/desk/?view=columns", user=hall.user("reception"))
    transfer = Transfer(page)
    page.goto(f"{browsing.server.url}/desk/?view=columns", wait_until="load")
    assert transfer.bytes > 1000
    # The icon comes when the browser has nothing else to do, perhaps only now.
    files = [address for address, size in transfer.by_address.items() if address.endswith((".css", ".js")) and size]
    assert files == []
