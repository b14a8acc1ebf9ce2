"""A doctor's morning in a real browser: with the keyboard alone, on a phone, without scripts, in two windows."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from common.testing.browser import Browsing, axe, layout_shift
from common.transactions import outermost
from consultations.tests.factories import Surgery
from reception.tests.factories import HOUR
from tokens import queueing
from tokens.models import Token

pytestmark = pytest.mark.django_db(transaction=True)


def parts(page: Page):
    """What is looked at all the time: who is here, what can be done, what was said, the queue."""
    return (page.locator(f"#console-{name}") for name in ("now", "answer", "queue", "panel"))


def status(token: Token) -> str:
    token.refresh_from_db()
    return str(token.status)


def test_a_doctor_s_morning_with_the_keyboard_alone(browsing: Browsing) -> None:
    surgery = Surgery()
    nair = surgery.doctor("Dr Nair")
    surgery.sitting(nair, timezone.now() - HOUR / 2)
    ravi, neha, omar, lila = (surgery.give(name) for name in ("Ravi", "Neha", "Omar", "Lila"))
    page = browsing.open("/console/", user=surgery.doctor_user)
    keys = page.keyboard
    now, answer, queue, panel = parts(page)
    expect(now).to_contain_text("Nobody with you")

    # calls, calls again, starts: one key each
    keys.press("n")
    expect(answer).to_have_text(f"{ravi.number} is called.")
    expect(now).to_contain_text("Called once")
    expect(page).to_have_title(f"{ravi.number}. {surgery.facility.name}")
    keys.press("r")
    expect(now).to_contain_text("Called 2 times")
    keys.press("s")
    expect(answer).to_have_text(f"The visit of {ravi.number} has begun.")
    expect(now.locator("[data-since]")).to_have_text(re.compile(r"^(?!0:00)\d+:\d\d$"))

    # to the X-ray: the first time the place is typed, and one key the second time
    keys.press("t")
    expect(panel).to_contain_text("goes for a test")
    expect(panel.get_by_label("Where to")).to_be_focused()
    keys.type("X-ray")
    keys.press("Enter")
    expect(answer).to_contain_text(f"{ravi.number} goes to: X-ray.")
    expect(panel).to_be_empty()
    expect(queue).to_contain_text("X-ray since")

    # not in the hall: held, and the next; who is skipped comes after another
    keys.press("n")
    expect(answer).to_have_text(f"{neha.number} is called.")
    keys.press("h")
    expect(answer).to_contain_text(f"{neha.number} is held until")
    keys.press("n")
    expect(answer).to_have_text(f"{omar.number} is called.")
    keys.press("k")
    expect(answer).to_contain_text(f"{omar.number} is skipped")

    # takes it back: the button says what
    expect(now.locator("#do-undo")).to_contain_text(f"Undo: {omar.number} was skipped")
    keys.press("u")
    expect(answer).to_have_text(f"Undone: {omar.number} was skipped.")
    keys.press("s")
    expect(answer).to_have_text(f"The visit of {omar.number} has begun.")

    # the patient is back from the X-ray: down the queue, Enter, Enter
    keys.press("j")
    for _ in range(4):
        if page.evaluate("document.activeElement.id") == f"q-{ravi.pk}":
            break
        keys.press("ArrowDown")
    keys.press("Enter")
    expect(panel).to_contain_text("Back from the test")
    keys.press("Enter")
    expect(answer).to_contain_text(f"{ravi.number} is back and stands at the front.")

    # completes and calls in one press: who is back is next
    keys.press("Enter")
    expect(answer).to_contain_text(f"{ravi.number} is called.")
    assert status(omar) == "completed"
    keys.press("s")
    expect(answer).to_have_text(f"The visit of {ravi.number} has begun.")

    # to another doctor, with a reason
    keys.press("d")
    expect(panel).to_contain_text("Dr Nair")
    expect(panel.get_by_role("radio").first).to_be_focused()
    for _ in range(3):
        if page.evaluate("document.activeElement.id") != "reason":
            keys.press("Tab")
    keys.type("rash on both arms")
    keys.press("Enter")
    expect(answer).to_contain_text(f"{ravi.number} goes to Dr Nair")

    # late, a pause, and on; a panel that was opened by mistake
    keys.press("y")
    expect(panel.get_by_label("Minutes late")).to_be_focused()
    keys.press("Control+a")
    keys.type("20")
    keys.press("Enter")
    expect(answer).to_contain_text("20 min late.")
    keys.press("b")
    expect(answer).to_contain_text("Paused.")
    expect(now).to_contain_text("Go on")
    keys.press("b")
    expect(answer).to_contain_text("The session goes on.")
    keys.press("y")
    expect(panel).to_contain_text("How late?")
    keys.press("Escape")
    expect(panel).to_be_empty()

    # the last one, and C
    keys.press("n")
    expect(answer).to_have_text(f"{lila.number} is called.")
    keys.press("s")
    expect(now).to_contain_text("Complete")
    keys.press("c")
    expect(answer).to_contain_text(f"{lila.number} has been seen.")
    assert status(lila) == "completed"
    axe(page)


def test_a_double_click_and_a_key_held_down_do_it_once(browsing: Browsing) -> None:
    surgery = Surgery()
    tokens = [surgery.give(name) for name in ("Ravi", "Neha", "Omar")]
    page = browsing.open("/console/", user=surgery.doctor_user)
    _, answer, _, _ = parts(page)
    page.get_by_role("button", name="Call A").or_(page.locator("#do-call-next")).first.dblclick()
    expect(answer).to_have_text(f"{tokens[0].number} is called.")
    page.keyboard.press("s")
    expect(answer).to_contain_text("has begun.")
    page.keyboard.down("Enter")
    page.keyboard.down("Enter")
    page.keyboard.down("Enter")
    expect(answer).to_contain_text(f"{tokens[1].number} is called.")
    # Still held down when the answer is there: what Enter does now is another matter.
    page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    page.keyboard.press("r")
    expect(answer).to_contain_text(f"{tokens[1].number} is called again.")
    assert [bool(t.called_at) for t in Token.objects.order_by("id")] == [True, True, False]


def test_an_answer_that_is_lost_is_asked_for_again_and_nobody_else_is_called(browsing: Browsing) -> None:
    surgery = Surgery()
    ravi, neha = surgery.give("Ravi"), surgery.give("Neha")
    page = browsing.open("/console/", routed=True, user=surgery.doctor_user)
    _, answer, _, _ = parts(page)
    button = page.locator("#do-call-next")
    form = button.evaluate_handle("(button) => button.form")
    page.route("**/call-next/", lambda route: (route.fetch(), route.abort())[0], times=1)
    page.keyboard.press("n")
    expect(answer).to_have_text("No answer came. Press again: it is done once.")
    page.evaluate("(form) => { document.body.append(form); form.requestSubmit(); }", form)
    expect(answer).to_have_text(f"{ravi.number} is called.")
    assert surgery.kinds(ravi).count("called") == 1
    neha.refresh_from_db()
    assert neha.called_at is None


def test_two_windows_the_second_is_told_and_follows(browsing: Browsing) -> None:
    surgery = Surgery()
    ravi, neha = surgery.give("Ravi"), surgery.give("Neha")
    context = browsing.context(user=surgery.doctor_user)
    windows = [browsing.page(context) for _ in range(2)]
    for window in windows:
        window.goto(f"{browsing.server.url}/console/")
    # the second has lost its stream, and shows the button still
    windows[1].evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    stale = windows[1].locator("#do-call-next")
    stale.evaluate("(button) => { button.form.elements.idempotency_key.value = 'stale'; }")
    kept = stale.evaluate_handle("(button) => button.form")
    windows[0].keyboard.press("n")
    expect(windows[0].locator("#console-answer")).to_have_text(f"{ravi.number} is called.")
    expect(windows[1].locator("#console-now")).to_contain_text("Called once")
    windows[1].evaluate("(form) => { document.body.append(form); form.requestSubmit(); }", kept)
    told = f"Nothing was changed: {ravi.number} was called meanwhile."
    expect(windows[1].locator("#console-answer")).to_have_text(told)
    neha.refresh_from_db()
    assert neha.called_at is None


def test_what_the_desk_does_appears_by_itself_and_takes_no_focus_away(browsing: Browsing) -> None:
    surgery = Surgery()
    surgery.start(surgery.give("Ravi"))
    page = browsing.open("/console/", user=surgery.doctor_user)
    now, _, queue, panel = parts(page)
    page.locator("#do-complete").focus()
    page.keyboard.press("t")
    expect(panel).to_contain_text("goes for a test")
    page.keyboard.type("Blo")
    urgent = surgery.give("Chitra", "emergency")
    expect(queue).to_contain_text(f"{urgent.number} Chitra")
    page.keyboard.type("od")
    expect(panel.get_by_label("Where to")).to_have_value("Blood")
    outermost(lambda: queueing.complete(token_id=Token.objects.get(patient__name="Ravi").pk, by=None))
    expect(now).to_contain_text("Nobody with you")


def test_a_phone_has_everything_under_the_thumb(browsing: Browsing) -> None:
    surgery = Surgery()
    ravi = surgery.give("Ravi Subramaniam Venkatesan")
    surgery.give("Neha")
    page = browsing.open("/console/", user=surgery.doctor_user, phone=True)
    _, answer, _, _ = parts(page)
    page.locator("#do-call-next").tap()
    expect(answer).to_have_text(f"{ravi.number} is called.")
    page.locator("#do-start").tap()
    expect(answer).to_contain_text("has begun.")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    small = page.locator("#console-now .btn:visible, #console-queue .tok:visible").evaluate_all(
        "(all) => all.filter((each) => each.getBoundingClientRect().height < 44).map((each) => each.textContent)"
    )
    assert small == []
    assert layout_shift(page) < 0.1
    axe(page)


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_serious_is_found_in_any_state(browsing: Browsing, dark: bool) -> None:
    surgery = Surgery()
    ravi = surgery.give("Ravi", "emergency")
    surgery.give("Neha", "paid", arrived=True)
    surgery.give("Expected", "online")
    page = browsing.open("/console/", user=surgery.doctor_user, dark=dark)
    axe(page)
    surgery.call(ravi)
    page.reload()
    axe(page)
    surgery.start(ravi)
    for address in ("/console/", "/console/?do=test", "/console/?do=send", "/console/?do=delay"):
        page.goto(browsing.server.url + address)
        axe(page)
    page.goto(f"{browsing.server.url}/console/?token={Token.objects.get(patient__name='Neha').pk}")
    axe(page)


def test_without_scripts_the_same_is_done_with_whole_pages(browsing: Browsing) -> None:
    surgery = Surgery()
    ravi, neha = surgery.give("Ravi"), surgery.give("Neha")
    page = browsing.open("/console/", user=surgery.doctor_user, scripts=False)
    page.locator("#do-call-next").click()
    expect(page.locator("#console-answer")).to_contain_text(f"{ravi.number} is called.")
    page.locator("#do-start").click()
    expect(page.locator("#console-now .clock")).to_contain_text("since")
    page.locator("#do-test").click()
    page.get_by_label("Where to").fill("X-ray")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#console-answer")).to_contain_text(f"{ravi.number} goes to: X-ray.")
    page.get_by_role("link", name="Ravi").click()
    page.get_by_role("button", name="Back from the test").click()
    expect(page.locator("#console-answer")).to_contain_text("is back and stands at the front.")
    page.locator("#do-undo").click()
    expect(page.locator("#console-answer")).to_contain_text(f"Undone: {ravi.number} came back.")
    page.locator("#do-call-next").click()
    expect(page.locator("#console-answer")).to_contain_text(f"{neha.number} is called.")
