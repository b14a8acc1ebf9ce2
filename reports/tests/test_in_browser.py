"""The reports in a real browser: light and dark, on a phone, printed, without scripts, by keyboard."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from common.testing.browser import STILL, Browsing, axe, layout_shift
from patients.models import Patient
from reception.tests.factories import Hall
from reports.tests.test_pages import FIGURES, MONEY, bill
from tokens import queueing
from tokens.models import Token

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hall() -> Hall:
    """A day with waits, a displacement, a no-show, money taken and a discount."""
    from common.transactions import outermost
    from tokens import allocation

    hall = Hall(capacity=2)
    given = [hall.give(f"Patient {n}", source, slot=n % 3) for n, source in enumerate(["online", "walk_in"] * 3)]
    hall.give("Paid Patient", "paid", slot=1)
    here = Token.objects.filter(session=hall.session, status="confirmed", arrived_at__isnull=False).first()
    assert here
    for step in (queueing.call, queueing.start, queueing.complete):
        outermost(lambda step=step: step(token_id=here.pk, by=None))
    outermost(lambda: allocation.mark_no_show(token_id=given[0].pk, by=None))
    bill(hall, reason="Senior citizen, as agreed with the doctor who saw the patient")
    return hall


A4 = 703
"""Pixels between the margins of a sheet, upright."""


def fits(page: Page) -> bool:
    """Nothing makes the page wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_day_and_a_month_in_both_themes(browsing: Browsing, hall: Hall, dark: bool) -> None:
    page = browsing.open("/reports/", user=hall.user("manager"), dark=dark)
    expect(page.locator(".fig")).to_have_count(len(FIGURES + MONEY))
    assert fits(page)
    assert layout_shift(page) < STILL
    axe(page)
    page.locator("summary", has_text="The figures").first.click()
    expect(page.locator("#waits table")).to_be_visible()
    page.get_by_role("link", name="Month").click()
    page.wait_for_url(re.compile(r"date=\d{4}-\d\d$"))
    axe(page)


def test_on_a_phone(browsing: Browsing, hall: Hall) -> None:
    page = browsing.open("/reports/", user=hall.user("manager"), phone=True)
    assert fits(page)
    for figure in reversed(page.locator(".fig > .data:not([open]) > summary").all()):
        figure.click()
    assert fits(page)
    lines = "e => { const all = document.createRange(); all.selectNodeContents(e); return all.getClientRects().length }"
    assert page.locator("#unpaid tbody th").first.evaluate(lines) == 1, "the number of a bill is not broken"
    small = page.evaluate(
        "[...document.querySelectorAll('main a, main button, main select, main summary')]"
        ".filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 24).map(e => e.outerHTML)"
    )
    assert small == []
    axe(page)


def test_by_keyboard(browsing: Browsing, hall: Hall) -> None:
    page = browsing.open("/reports/", user=hall.user("manager"))
    page.evaluate("window.print = () => { window.printed = true }")
    page.keyboard.press("p")
    assert page.evaluate("window.printed")
    page.keyboard.press("2")
    page.wait_for_url(re.compile(r"date=\d{4}-\d\d$"))
    this = page.locator("h1").inner_text()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("h1")).not_to_have_text(this)
    page.keyboard.press("ArrowRight")
    expect(page.locator("h1")).to_have_text(this)
    page.keyboard.press("1")
    page.wait_for_url(re.compile(r"date=\d{4}-\d\d-\d\d$"))


def test_a_choice_is_asked_for_at_once(browsing: Browsing, hall: Hall) -> None:
    other = hall.doctor("Dr Nair")
    page = browsing.open(f"/reports/?doctor={other.pk}", user=hall.user("manager"))
    page.get_by_label("Department").select_option(label="General Medicine")
    page.wait_for_url(re.compile(rf"department={hall.department.pk}"))
    assert "doctor=&" in page.url, "another department has other doctors"
    page.get_by_label("Date").fill("2026-01-02")
    page.get_by_label("Date").dispatch_event("change")
    page.wait_for_url(re.compile("date=2026-01-02"))
    expect(page.get_by_label("Department")).to_have_value(str(hall.department.pk))


def test_without_scripts(browsing: Browsing, hall: Hall) -> None:
    page = browsing.open("/reports/", user=hall.user("manager"), scripts=False)
    page.get_by_label("Source").select_option("walk_in")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("Source")).to_have_value("walk_in")
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    page.locator("#capacity summary").click()
    expect(page.locator("#capacity table")).to_be_visible()
    with page.expect_download() as file:
        page.get_by_role("link", name="All as CSV").click()
    assert file.value.suggested_filename.endswith(".zip")


def test_printed(browsing: Browsing, hall: Hall) -> None:
    """Figures are open, what cannot be pressed on paper is gone, the ink is dark though the screen is not."""
    page = browsing.open("/reports/", user=hall.user("manager"), dark=True)
    page.emulate_media(media="print")
    assert all(table.is_visible() for table in page.locator(".fig table").all())
    for gone in (".bar", "#narrow", ".fig > .csv", ".fig summary", ".page-head .btn"):
        assert not any(each.is_visible() for each in page.locator(gone).all()), gone
    expect(page.get_by_text("Printed")).to_be_visible()
    look: Any = "e => [getComputedStyle(e).color, getComputedStyle(document.body).backgroundColor]"
    assert page.locator("#waits h3").evaluate(look) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    page.set_viewport_size({"width": A4, "height": 1000})
    wide = "e => e.scrollWidth > e.parentElement.clientWidth"
    cut = [table.inner_text() for table in page.locator(".fig table").all() if table.evaluate(wide)]
    assert cut == [], "nobody scrolls on paper"
    assert fits(page)
    assert len(page.pdf(format="A4")) > 10_000


def test_a_long_name_leaves_what_is_due_in_sight(browsing: Browsing, hall: Hall) -> None:
    name = "Venkatanarasimharajuvaripeta Sri Lakshmi Narasimha Subrahmanyeswara Ramachandran-Padmanabhan"
    Patient.objects.filter(facility=hall.facility).update(name=name)
    page = browsing.open("/reports/", user=hall.user("manager"))
    figures = page.locator("#unpaid .data")
    if figures.get_attribute("open") is None:
        figures.locator("summary").click()
    expect(page.locator("#unpaid td").first).to_be_visible()
    expect(page.locator("#unpaid tbody")).to_contain_text(name)
    assert page.locator("#unpaid .scroll").evaluate("(e) => e.scrollWidth <= e.clientWidth")
