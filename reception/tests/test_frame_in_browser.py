"""What every page has, in a real browser: no serious finding of axe-core, nothing that moves by itself."""

import pytest

from common.testing.browser import Browsing, axe, layout_shift
from reception.tests.factories import Hall

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = ["/desk/", "/desk/?give=1", "/desk/?patient={patient}", "/desk/tokens/{token}/", "/desk/tokens/{token}/slip/"]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_no_serious_finding(browsing: Browsing, path: str, dark: bool) -> None:
    hall = Hall(capacity=1)
    token = hall.give("Farhan Sheikh", "online", slot=0)
    hall.give("Lakshmi Narayan", "paid", slot=0, arrived=True)
    address = path.format(token=token.pk, patient=hall.patient("Ravi Menon").pk)
    page = browsing.open(address, user=hall.user("reception"), dark=dark)
    assert layout_shift(page) == 0
    axe(page)


@pytest.mark.parametrize("phone", [False, True])
def test_signing_in_has_no_serious_finding(browsing: Browsing, phone: bool) -> None:
    page = browsing.open("/accounts/login/", phone=phone)
    assert layout_shift(page) == 0
    axe(page)
