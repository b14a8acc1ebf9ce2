"""What every page has, in a real browser: nothing that moves by itself, room at 200 per cent, forced colours, paper."""

import pytest

from common.testing.browser import STILL, Browsing, axe, layout_shift
from reception.tests.factories import Hall

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = [
    "/desk/",
    "/desk/?give=1",
    "/desk/?patient={patient}",
    "/desk/?register=1",
    "/desk/tokens/{token}/",
    "/desk/tokens/{token}/slip/",
    "/design/",
    "/accounts/password/change/",
    "/accounts/2fa/",
]


def test_nothing_of_a_page_moves_while_it_opens(browsing: Browsing) -> None:
    """What axe-core says of these pages is asked of every page in `opd_engine/tests/test_access_in_browser.py`."""
    hall = Hall(capacity=1)
    token = hall.give("Farhan Sheikh", "online", slot=0)
    hall.give("Lakshmi Narayan", "paid", slot=0, arrived=True)
    patient = hall.patient("Ravi Menon")
    page = browsing.open(PAGES[0], user=hall.user("reception"))
    for path in PAGES:
        page.goto(browsing.server.url + path.format(token=token.pk, patient=patient.pk))
        assert layout_shift(page) < STILL, path


@pytest.mark.parametrize("phone", [False, True])
def test_signing_in_has_no_serious_finding(browsing: Browsing, phone: bool) -> None:
    page = browsing.open("/accounts/login/", phone=phone)
    assert layout_shift(page) < STILL
    axe(page)


@pytest.mark.parametrize("path", ["/desk/?give=1", "/design/"])
def test_at_200_per_cent_a_page_is_as_wide_as_its_window(browsing: Browsing, path: str) -> None:
    page = browsing.open(path, user=Hall().user("reception"), size=(640, 400), device_scale_factor=2)
    assert page.evaluate("document.documentElement.scrollWidth") == 640


def test_in_forced_colours_what_is_chosen_has_an_outline(browsing: Browsing) -> None:
    page = browsing.open("/design/", user=Hall().user("reception"), forced_colors="active")
    chosen = page.locator(".choice label:has(:checked)").first
    assert chosen.evaluate("(each) => getComputedStyle(each).outlineStyle") == "solid"


def test_who_wants_no_motion_sees_none(browsing: Browsing) -> None:
    page = browsing.open("/design/", user=Hall().user("reception"), reduced_motion="reduce")
    page.get_by_role("button", name="Cancel a token").click()
    assert page.evaluate("document.getAnimations().length") == 0


def test_on_paper_the_frame_is_left_away(browsing: Browsing) -> None:
    page = browsing.open("/design/", user=Hall().user("reception"))
    page.emulate_media(media="print")
    assert not page.locator(".bar").is_visible()
    assert not page.get_by_role("button", name="Give token").is_visible()
    assert page.get_by_role("table", name="").first.is_visible()
