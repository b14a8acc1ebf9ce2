"""Each key that the list under `?` promises is pressed and does what it says; one that is new there fails a test."""

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from common.testing.browser import Browsing
from consultations.tests.factories import Surgery
from reception.cash import listing
from reception.tests.cashing import CashDesk
from tokens.models import Token

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = {"↵": "Enter", "↑": "ArrowUp", "↓": "ArrowDown", "←": "ArrowLeft", "→": "ArrowRight", "Esc": "Escape"}


class Keyboard:
    """A keyboard that remembers which keys were pressed."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.pressed: set[str] = set()
        self.promised = set(self._promised())

    def _promised(self) -> Iterator[str]:
        """What the list says, after it was opened by its key and closed by another."""
        expect(self.page.locator("#live:not([data-unheard]), #main:not([data-none])").first).to_be_visible()
        self("?")
        rows = self.page.locator("#keys tr")
        expect(rows.first).to_be_visible()
        for cell in rows.locator("td:first-child").all_inner_texts():
            span = re.fullmatch(r"(\d)\s*–\s*(\d)", cell.strip())
            words = map(str, range(int(span[1]), int(span[2]) + 1)) if span else cell.split()
            yield from (NAMES.get(word, word.lower()) for word in words)
        self("Escape")
        expect(self.page.locator("#keys")).to_be_hidden()

    def __call__(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.pressed.add(key)


def test_the_desk_s_keys(browsing: Browsing) -> None:
    surgery = Surgery(capacity=6)
    nair = surgery.doctor("Dr Nair")
    surgery.sitting(nair, surgery.session.starts_at)
    surgery.patient("Lakshmi Narayan")
    inside, here, next_one = (surgery.give(name, slot=0) for name in ("Ravi", "Neha", "Omar"))
    surgery.start(inside)
    absent = surgery.give("Lila", "online", slot=0)
    page = browsing.open(f"/desk/?token={here.pk}", user=surgery.user("admin"))
    press, drawer = Keyboard(page), page.locator("#drawer")
    bar, toasts = page.locator("#actionbar"), page.locator("#toasts")

    def selects(token: Token) -> None:
        expect(bar).to_have_attribute("data-token", str(token.pk))

    def asks(key: str, words: str) -> None:
        press(key)
        expect(drawer).to_contain_text(words)
        press("Escape")
        expect(drawer).to_be_hidden()

    # rows and doctors
    press("j")
    selects(next_one)
    press("k")
    selects(here)
    # A doctor without tokens is stepped over, so one is given there: N, the name, the doctor, source, slot, Enter.
    press("n")
    page.keyboard.type("laxmi")
    expect(page.locator("#found")).to_contain_text("Lakshmi Narayan")
    press("Enter")
    expect(drawer.locator(".person")).to_contain_text("Lakshmi Narayan")
    for key, source in zip("12345", ("walk_in", "online", "follow_up", "paid", "emergency"), strict=True):
        press(key)
        expect(drawer.locator(f"[name=source][value={source}]")).to_be_checked()
    press("1")
    slots = drawer.locator(".offers[data-source=walk_in] input[type=radio]")
    expect(slots.nth(0)).to_be_checked()
    press("ArrowDown")
    expect(slots.nth(1)).to_be_checked()
    press("ArrowUp")
    expect(slots.nth(0)).to_be_checked()
    press("d")
    expect(drawer.locator("#who")).to_be_focused()
    drawer.locator("#who").select_option(f"doctor-{nair.pk}")
    expect(drawer.locator("#who")).to_have_value(f"doctor-{nair.pk}")
    expect(drawer.locator(".offers[data-source=walk_in]")).to_be_visible()
    press("1")
    press("Enter")
    expect(drawer.locator(".answer")).to_be_visible()
    with_nair = Token.objects.get(patient__name="Lakshmi Narayan")
    assert with_nair.session.doctor == nair
    press("Escape")
    expect(drawer).to_be_hidden()
    selects(with_nair)
    press("ArrowRight" if page.locator(f"#t-{with_nair.pk}").evaluate(FIRST) else "ArrowLeft")
    selects(inside)
    press("ArrowLeft" if page.locator(f"#t-{with_nair.pk}").evaluate(FIRST) else "ArrowRight")
    selects(with_nair)
    press("ArrowRight" if page.locator(f"#t-{with_nair.pk}").evaluate(FIRST) else "ArrowLeft")
    selects(inside)

    # steps
    asks("t", "to a test")
    press("j")
    selects(here)
    press("c")
    expect(toasts).to_contain_text(f"{here.number} is called.")
    press("h")
    expect(toasts).to_contain_text(f"{here.number} is held for 10 min")
    press("u")
    expect(toasts).to_contain_text("is undone")
    press("j")
    selects(next_one)
    press("e")
    expect(toasts).to_contain_text(f"{next_one.number} is an emergency now.")
    asks("m", f"Move {next_one.number}")
    asks("d", f"Send {next_one.number} on")
    asks("x", f"Cancel {next_one.number}")
    asks("y", "How late?")
    asks("l", "Places")
    page.locator(f"#t-{absent.pk}").click()
    selects(absent)
    press("a")
    expect(toasts).to_contain_text(f"{absent.number} has arrived.")
    press("o")
    expect(toasts).to_contain_text(f"{absent.number} did not come.")
    with page.expect_popup() as slip:
        press("p")
    expect(slip.value.locator("body")).to_contain_text(absent.number)
    slip.value.close()

    # from nobody's row T is the list of who is to be told; / finds; V turns columns into lines
    page.goto(f"{browsing.server.url}/desk/")
    asks("t", "To be told")
    press("/")
    expect(page.locator("#command")).to_be_focused()
    press("Escape")
    press("v")
    page.wait_for_url("**/overview/")
    press("v")
    page.wait_for_url("**/desk/**")
    page.locator(f"#t-{here.pk}").click()
    selects(here)
    press("Enter")
    page.wait_for_url(f"**/desk/tokens/{here.pk}/")
    assert press.promised - press.pressed == set()


FIRST = "(row) => row.closest('.col').matches(':first-child')"


def test_the_overview_s_keys(browsing: Browsing) -> None:
    surgery = Surgery()
    surgery.sitting(surgery.doctor("Dr Nair"), surgery.session.starts_at)
    page = browsing.open("/overview/", user=surgery.user("reception"))
    press, drawer = Keyboard(page), page.locator("#drawer")
    rows = page.locator("#ov-rows > [role=row]")
    press("j")
    expect(rows.nth(0)).to_have_attribute("aria-current", "true")
    press("j")
    expect(rows.nth(1)).to_have_attribute("aria-current", "true")
    press("k")
    expect(rows.nth(0)).to_have_attribute("aria-current", "true")
    expect(drawer.locator(".col")).to_be_visible()
    for key, words in (("y", "How late?"), ("n", "Who is it?"), ("t", "To be told")):
        press(key)
        expect(drawer).to_contain_text(words)
        press("Escape")
        expect(drawer).to_be_hidden()
    press("/")
    expect(page.locator("#command")).to_be_focused()
    press("Escape")
    press("j")
    expect(drawer.locator(".col")).to_be_visible()
    press("Enter")
    page.wait_for_url("**/desk/**")
    page.goto(f"{browsing.server.url}/overview/")
    press("v")
    page.wait_for_url("**/desk/**")
    assert press.promised - press.pressed == set()


def test_the_console_s_keys(browsing: Browsing) -> None:
    surgery = Surgery()
    surgery.doctor("Dr Nair")
    ravi, neha, omar, lila = (surgery.give(name, slot=0) for name in ("Ravi", "Neha", "Omar", "Lila"))
    page = browsing.open("/console/", user=surgery.doctor_user)
    press, answer, panel = Keyboard(page), page.locator("#console-answer"), page.locator("#console-panel")

    press("n")
    expect(answer).to_have_text(f"{ravi.number} is called.")
    press("r")
    expect(answer).to_contain_text(f"{ravi.number} is called again.")
    press("k")
    expect(answer).to_contain_text(f"{ravi.number} is skipped")
    press("u")
    expect(answer).to_contain_text("Undone")
    press("h")
    expect(answer).to_contain_text(f"{ravi.number} is held")
    press("n")
    expect(answer).to_have_text(f"{neha.number} is called.")
    press("s")
    expect(answer).to_have_text(f"The visit of {neha.number} has begun.")
    for key, words in (("t", "goes for a test"), ("d", "goes to a doctor"), ("y", "How late?")):
        press(key)
        expect(panel).to_contain_text(words)
        press("Escape")
        expect(panel).to_be_empty()
    press("b")
    expect(answer).to_contain_text("Paused.")
    press("b")
    expect(answer).to_contain_text("The session goes on.")
    press("j")
    first = page.evaluate("document.activeElement.id")
    assert first.startswith("q-")
    press("ArrowDown")
    assert page.evaluate("document.activeElement.id") not in ("", first)
    press("ArrowUp")
    assert page.evaluate("document.activeElement.id") == first
    page.evaluate("document.activeElement.blur()")
    press("Enter")
    expect(answer).to_contain_text(f"{omar.number} is called.")
    press("s")
    expect(answer).to_have_text(f"The visit of {omar.number} has begun.")
    press("c")
    expect(answer).to_contain_text(f"{omar.number} has been seen.")
    press("/")
    expect(page.locator("#command")).to_be_focused()
    assert press.promised - press.pressed == set()
    lila.refresh_from_db()
    assert lila.called_at is None


def test_the_cash_desk_s_keys(browsing: Browsing, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = CashDesk()
    desk.rules.priority_fee = Decimal(300)
    desk.rules.save()
    first, second = desk.owe("Sunita", "650"), desk.owe("Abdul", "600")
    token = desk.give("Ravi", "online")
    page = browsing.open("/cash/", user=desk.user("admin"))
    press, drawer = Keyboard(page), page.locator("#drawer")

    def asks(key: str, words: str) -> None:
        press(key)
        expect(drawer).to_contain_text(words)
        press("Escape")
        expect(drawer).to_be_hidden()

    # the shift
    press("o")
    expect(drawer.locator("#float")).to_be_focused()
    page.keyboard.type("1000")
    press("Escape")
    expect(drawer).to_be_hidden()
    press("u")
    expect(drawer.locator("#float")).to_have_value("1000")
    press("Enter")
    expect(page.locator("#cash-shift")).to_contain_text("₹1,000.00")
    asks("c", "Cash expected")
    asks("m", "Move cash")
    press("x")
    page.wait_for_url("**/report/")
    press("Escape")
    page.wait_for_url("**/cash/")

    # rows, ways to pay, split, void
    expect(page.locator("#live")).to_have_text("Live")
    press("j")
    expect(drawer).to_contain_text("Abdul")
    press("j")
    expect(drawer).to_contain_text("Sunita")
    press("k")
    expect(drawer).to_contain_text("Abdul")
    press("Enter")
    expect(drawer.locator("#received")).to_be_focused()
    press("ArrowDown")
    expect(drawer.locator("[value=card]")).to_be_checked()
    press("ArrowUp")
    expect(drawer.locator("[value=cash]")).to_be_checked()
    press("Escape")
    for key, method in zip("2356", ("card", "upi", "bank", "wallet"), strict=True):
        press(key)
        expect(drawer.locator(f"[name=method][value={method}]")).to_be_checked()
        press("Escape")
    press("1")
    expect(drawer.locator("#received")).to_be_focused()
    press("s")
    expect(drawer.locator("#split-cash")).to_be_focused()
    press("s")
    expect(drawer.locator("#received")).to_be_visible()
    press("v")
    expect(drawer).to_contain_text("The number stays, marked void.")
    press("Escape")
    expect(drawer).to_be_hidden()

    # takes, prints, refunds, goes on to the next
    page.locator(f"#bill-{second.pk} a.row").click()
    expect(drawer.locator("#received")).to_be_focused()
    press("Enter")
    expect(drawer).to_contain_text("Taken. No change to give.")
    printer = page.frame_locator("iframe[name=printer]")
    expect(printer.locator("[data-print=done] .sheet")).to_contain_text("Abdul")
    press("p")
    expect(printer.locator("[data-print=done] .copy")).to_contain_text("Copy 1")
    asks("f", "Give money back")
    page.locator(f"#bill-{first.pk} a.row").click()
    expect(drawer.locator("#received")).to_be_focused()
    press("Enter")
    expect(drawer).to_contain_text("Taken. No change to give.")
    expect(printer.locator("[data-print=done] .sheet")).to_contain_text("Sunita")
    press("n")
    expect(drawer).to_be_hidden()

    # bills, advances, the account as the fourth way, priority, finding
    asks("a", "Who is it?")
    press("b")
    expect(drawer.locator("#find")).to_be_focused()
    page.keyboard.type("sunita")
    expect(drawer.locator("#found")).to_contain_text("Sunita")
    press("Enter")
    expect(drawer.locator("#new-lines select").first).to_be_focused()
    press("Escape")
    page.goto(f"{browsing.server.url}/cash/?do=bill&patient={first.patient_id}")
    page.locator("#drawer h2").click()
    press("l")
    expect(drawer.locator(".new-line:visible")).to_have_count(2)
    page.locator("#drawer h2").click()
    press("d")
    expect(drawer.locator(".off:focus")).to_be_visible()
    page.goto(f"{browsing.server.url}/cash/?token={token.pk}")
    press("g")
    expect(drawer).to_contain_text(f"Priority for {token.number}")
    press("4")
    expect(drawer.locator("[value=account]")).to_be_disabled()
    press("Escape")
    expect(drawer).to_be_hidden()
    monkeypatch.setattr(listing, "MOST", 1)
    for name in ("Lata", "Omar"):
        desk.owe(name, "100")
    turned = (("e", "**?tab=unpaid"), ("ArrowRight", "**page=2"), ("ArrowLeft", "**page=1"), ("e", "**?tab=pay"))
    for key, address in turned:
        press(key)
        page.wait_for_url(address)
        expect(page.locator("#live")).to_have_text("Live")
    press("h")
    expect(page.locator("#command")).to_have_value("h")
    press("Escape")
    press("/")
    expect(page.locator("#command")).to_be_focused()
    assert press.promised - press.pressed == set()


def test_the_keys_of_a_token_s_page(browsing: Browsing) -> None:
    surgery = Surgery()
    token = surgery.give("Ravi", "online", slot=0)
    page = browsing.open(f"/desk/tokens/{token.pk}/", user=surgery.user("reception"))
    press, main = Keyboard(page), page.locator("#main")
    said = {"e": "is an emergency now", "o": "did not come", "a": "has arrived", "u": "is undone"}
    for key, words in (("a", said["a"]), ("u", said["u"]), ("e", said["e"])):
        press(key)
        expect(main).to_contain_text(words)
    for key, words in (("m", "Move"), ("x", "Cancel")):
        press(key)
        page.wait_for_url(f"**/desk/tokens/{token.pk}/{words.lower()}/**")
        press("Escape")
        page.wait_for_url(f"**/desk/tokens/{token.pk}/")
    press("o")
    expect(main).to_contain_text(said["o"])
    with page.expect_popup() as slip:
        press("p")
    slip.value.close()
    press("/")
    expect(page.locator("#command")).to_be_focused()
    press("Escape", "Escape")
    page.wait_for_url("**/desk/?**")
    assert press.promised - press.pressed == set()
