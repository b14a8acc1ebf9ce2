"""A morning of the whole house in a real browser: the desk by keyboard, the doctor, the board and a patient's phone.

Each window has its own browser and its own person; what one does, the others show by themselves.
"""

import pytest
from playwright.sync_api import Locator, Page, expect

from common.testing.browser import Browsing
from consultations.tests.factories import Surgery
from patients.models import Patient
from tokens.models import Plan, Token

pytestmark = pytest.mark.django_db(transaction=True)


class Desk:
    """A receptionist's window, in which only keys are pressed."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.drawer, self.bar, self.toasts = (page.locator(f"#{name}") for name in ("drawer", "actionbar", "toasts"))
        expect(page.locator("#live")).not_to_have_attribute("data-unheard", "")

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type into whatever has the focus."""
        self.page.keyboard.type(text)

    def find(self, text: str, name: str) -> None:
        """Find a patient from anywhere and come to the form for a token."""
        self.press("/")
        self.type(text)
        expect(self.page.locator("#results")).to_contain_text(name)
        self.press("Enter")
        expect(self.drawer.locator(".person")).to_contain_text(name)

    def given(self, name: str) -> Token:
        """The token that the drawer says was given, which is selected now."""
        expect(self.drawer.locator(".answer")).to_be_visible()
        token = Token.objects.get(patient__name=name)
        expect(self.drawer).to_contain_text(token.number)
        expect(self.bar).to_have_attribute("data-token", str(token.pk))
        return token

    def row(self, token: Token) -> Locator:
        """The line of a token."""
        return self.page.locator(f"#t-{token.pk}")

    def select(self, token: Token) -> None:
        """Find a token by its number and select it."""
        self.press("/")
        self.type(token.number)
        expect(self.page.locator("#results [data-found]").first).to_contain_text(token.number)
        self.press("Enter")
        expect(self.bar).to_have_attribute("data-token", str(token.pk))


def desk_of(browsing: Browsing, surgery: Surgery, path: str = "/desk/") -> Desk:
    return Desk(browsing.open(path, user=surgery.user("reception")))


def test_the_desk_by_keyboard_while_the_phone_rings(browsing: Browsing) -> None:
    surgery = Surgery(capacity=6)
    surgery.patient("Lakshmi Narayan", phone="+919845011213")
    for name in ("Omar Farouk", "Meera Iyer", "Joseph D’Souza"):
        surgery.patient(name)
    booked = [surgery.give(f"Booked {n}", "online", slot=1) for n in range(1, 7)]
    desk = desk_of(browsing, surgery)

    # the phone rings: somebody new is registered without leaving the page, then gets a token with Enter
    desk.press("n")
    desk.type("Kavita Menon")
    expect(desk.page.locator("#found")).to_contain_text("Register “Kavita Menon” as a new patient")
    desk.press("Enter")
    expect(desk.drawer.get_by_label("Name")).to_have_value("Kavita Menon")
    desk.press("Tab")
    desk.type("98450 11299")
    desk.press("Tab")
    desk.type("54")
    desk.press("Enter")
    expect(desk.drawer.locator(".person")).to_contain_text("Kavita Menon")
    assert Patient.objects.get(name="Kavita Menon").phone == "+919845011299"
    desk.press("Enter")
    assert desk.given("Kavita Menon").source == "walk_in"

    # sources, two keys after the patient is found, also where the name is misspelt
    for text, name, *keys in (
        ("laxmi narayn", "Lakshmi Narayan", "2", "Enter"),
        ("mira iyer", "Meera Iyer", "3", "Enter"),
        ("farouk", "Omar Farouk", "4", "Enter"),
    ):
        desk.find(text, name)
        desk.press(*keys)
        desk.given(name)
    given = Token.objects.filter(patient__name__in=["Lakshmi Narayan", "Meera Iyer", "Omar Farouk"])
    assert list(given.order_by("pk").values_list("source", flat=True)) == ["online", "follow_up", "paid"]
    desk.press("Escape")
    expect(desk.drawer).to_be_hidden()

    # a patient comes: found by number, arrived; the step is undone and taken again
    desk.select(booked[0])
    desk.press("a")
    expect(desk.toasts).to_contain_text(f"{booked[0].number} has arrived.")
    desk.press("u")
    expect(desk.toasts).to_contain_text(f"The last step of {booked[0].number} is undone.")
    desk.press("a")
    expect(desk.row(booked[0]).locator("svg[aria-label=here]")).to_have_count(1)

    # an emergency into the full slot, three keys: whom it displaces is said before and after
    desk.find("joseph", "Joseph D’Souza")
    desk.press("5", "ArrowDown")
    chosen = desk.drawer.locator(".offers[data-source=emergency] label:has(:checked)")
    expect(chosen).to_contain_text("waits again.")
    desk.press("Enter")
    urgent = desk.given("Joseph D’Souza")
    displaced = Token.objects.get(status="waitlisted")
    assert (urgent.slot, displaced in booked) == (surgery.slots[1], True)
    expect(desk.drawer).to_contain_text(f"{displaced.number} waits again")
    desk.press("Escape")
    expect(desk.drawer).to_be_hidden()

    # who lost the place is to be told: T opens the list, T says it was done
    expect(desk.page.locator("#tell")).to_contain_text("1 to be told")
    desk.press("t")
    expect(desk.drawer).to_contain_text(displaced.number)
    desk.press("t")
    expect(desk.toasts).to_contain_text(f"{displaced.number} was told.")
    expect(desk.drawer).to_contain_text("Everybody knows")
    desk.press("Escape")

    # one moves to the last slot; the place goes to who lost it; one cancels
    goes, leaves = [token for token in booked[1:] if token != displaced][:2]
    desk.select(goes)
    desk.press("m")
    expect(desk.drawer.get_by_role("radio").first).to_be_focused()
    at = desk.drawer.locator(f"input[value='{surgery.slots[2].pk}']")
    desk.press(*["ArrowDown"] * desk.drawer.get_by_role("radio").evaluate_all(PLACE_OF, str(surgery.slots[2].pk)))
    expect(at).to_be_checked()
    desk.press("Enter")
    expect(desk.toasts).to_contain_text(f"{goes.number} moved to")
    expect(desk.toasts).to_contain_text(f"{displaced.number} takes the place.")
    desk.select(leaves)
    desk.press("x")
    expect(desk.drawer.locator("#reason")).to_be_focused()
    desk.type("has a fever")
    desk.press("Enter")
    expect(desk.toasts).to_contain_text(f"{leaves.number} is cancelled.")

    # the doctor is called away: the slot is cut from 6 to 3 with a preview, and given back
    summary = desk.page.locator(f"#slot-{surgery.slots[1].pk} summary").first
    expect(summary).to_contain_text("1 free")
    desk.select(booked[0])
    desk.press("l")
    expect(desk.page.locator("#capacity")).to_be_focused()
    desk.type("3")
    expect(desk.drawer).to_contain_text("2 patients are to be told.")
    desk.press("Enter")
    expect(desk.drawer).to_contain_text("exactly as previewed")
    expect(summary).to_contain_text("3 of 3")
    desk.press("u")
    expect(desk.drawer).to_contain_text("everything is as it was before")
    expect(summary).to_contain_text("1 free")
    assert Plan.objects.get().undone_at is not None


PLACE_OF = "(radios, value) => radios.findIndex((radio) => radio.value === value)"


def test_what_the_doctor_does_the_board_the_desk_and_the_phone_show(browsing: Browsing) -> None:
    surgery = Surgery()
    first, second, third = (surgery.give(name, slot=0) for name in ("Ravi", "Neha", "Omar"))
    last = surgery.give("Lila", "online", slot=0)
    console = browsing.open("/console/", user=surgery.doctor_user)
    board = browsing.open(f"/board/{surgery.facility.slug}/", size=(1920, 1080))
    phone = browsing.open(f"/t/{last.key}", phone=True)
    desk = desk_of(browsing, surgery)
    keys, answer = console.keyboard, console.locator("#console-answer")
    heading, called = phone.locator("h1"), board.locator("#rooms .at")

    # the patient is on the way, then here
    expect(heading).to_have_text("3 people are ahead of you")
    phone.get_by_role("button", name="I am here").tap()
    expect(phone.locator("#acts")).to_contain_text("We know that you are here.")
    expect(desk.row(last).locator("svg[aria-label=here]")).to_have_count(1)
    expect(console.locator("#console-queue")).to_contain_text(last.number)

    # one key calls, the next starts, and Enter completes and calls: everybody sees it
    keys.press("n")
    for token, ahead in (
        (first, "2 people are ahead of you"),
        (second, "1 person is ahead of you"),
        (third, "You are next"),
    ):
        expect(answer).to_contain_text(f"{token.number} is called.")
        expect(called).to_contain_text(token.number)
        expect(desk.row(token)).to_contain_text("called")
        keys.press("s")
        expect(answer).to_have_text(f"The visit of {token.number} has begun.")
        expect(heading).to_have_text(ahead)
        keys.press("Enter")
    expect(answer).to_contain_text(f"{last.number} is called.")
    expect(heading).to_have_text(f"Please go to {surgery.session.room.name} now")
    expect(called).to_contain_text(last.number)
    assert phone.evaluate("document.documentElement.scrollWidth") == 360

    # the last visit, C ends it; the phone says good-bye, the board rests
    keys.press("s")
    expect(answer).to_have_text(f"The visit of {last.number} has begun.")
    keys.press("c")
    expect(answer).to_contain_text(f"{last.number} has been seen.")
    expect(heading).to_have_text("Your visit is over")
    expect(called).not_to_contain_text(last.number)
    expect(desk.page.locator(f"#col-{surgery.session.pk}")).to_contain_text("Nobody is waiting")
