"""The hall in a real browser: the overview by keyboard, who is to be told, buttons that all desks share, a phone."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from common.testing.browser import STILL, Browsing, axe, layout_shift
from common.transactions import outermost
from reception.models import PatientTold
from reception.tests.factories import HOUR, Hall
from reception.tests.test_desk_page import full_hall
from scheduling.models import Slot
from scheduling.tests.factories import DepartmentFactory
from tokens import allocation, supply
from tokens.models import Token

pytestmark = pytest.mark.django_db(transaction=True)


def hospital() -> tuple[Hall, Any]:
    """Dr Rao is full, Dr Bhat of the same department has a place in an hour, Dr Khan is of another one."""
    hall = Hall(capacity=1)
    for slot in (0, 1, 2):
        hall.give(f"Paid {slot}", "paid", slot=slot, arrived=slot == 0)
    hall.give("Online Waits", "online", slot=1)
    bhat = hall.sitting(hall.doctor("Dr Bhat"), timezone.now() + HOUR)
    ent = DepartmentFactory(facility=hall.facility, name="ENT")
    hall.sitting(hall.doctor("Dr Khan", department=ent), timezone.now() - HOUR / 4)
    return hall, bhat


def selected(page: Page) -> Any:
    return page.locator("#ov-rows > [aria-current=true]")


def test_the_overview_with_the_keyboard_alone(browsing: Browsing) -> None:
    hall, _bhat = hospital()
    page = browsing.open("/desk/", user=hall.user("reception"))
    keys, drawer = page.keyboard, page.locator("#drawer")

    # V turns columns into lines
    expect(page.locator("#columns")).to_be_visible()
    keys.press("v")
    page.wait_for_url("**/overview/")
    expect(page.locator("#ov-rows > [role=row]")).to_have_count(3)
    axe(page)

    # J and K walk through the doctors; the panel says where the department has a place
    keys.press("j")
    expect(selected(page)).to_have_id(f"ov-{hall.session.pk}")
    expect(drawer).to_contain_text("No place is free today")
    expect(drawer).to_contain_text("Dr Bhat, same department, has 1 free at")
    axe(page)
    keys.press("j")
    expect(drawer).to_contain_text("Dr Khan")
    keys.press("k")
    expect(drawer).to_contain_text("Dr Rao")

    # what happens elsewhere comes into the row and into the panel
    somebody = hall.give("Came Meanwhile", "walk_in", slot=2)
    expect(page.locator(f"#ov-{hall.session.pk}")).to_contain_text("1 waits")
    expect(drawer.locator(f"#t-{somebody.pk}")).to_have_count(1)
    expect(selected(page)).to_have_id(f"ov-{hall.session.pk}")

    # Y asks how late the doctor is; Esc goes back
    keys.press("y")
    expect(drawer).to_contain_text("late")
    keys.press("Escape")
    expect(drawer).to_be_hidden()

    # Enter opens the column at the desk; the choice of lines is left behind
    keys.press("j")
    expect(selected(page)).to_have_count(1)
    expect(drawer).to_be_visible()
    chosen = selected(page).get_attribute("id").removeprefix("ov-")
    keys.press("Enter")
    page.wait_for_url("**/desk/**")
    expect(page.locator(f"#col-{chosen}")).to_be_in_viewport()


def test_a_token_is_given_from_the_overview(browsing: Browsing) -> None:
    hall, bhat = hospital()
    hall.patient("Lakshmi Narayan")
    page = browsing.open("/overview/", user=hall.user("reception"))
    keys, drawer = page.keyboard, page.locator("#drawer")
    keys.press("n")
    keys.type("lakshmi")
    expect(page.locator("#found")).to_contain_text("Lakshmi Narayan")
    keys.press("Enter")
    expect(drawer.locator("#who")).to_be_visible()
    drawer.locator("#who").select_option(f"department-{hall.department.pk}")
    expect(drawer).to_contain_text("The earliest free place. Nobody moves.")
    expect(drawer).to_contain_text("Dr Bhat, confirmed")
    keys.press("Enter")
    expect(drawer).to_contain_text("confirmed. Dr Bhat")
    assert Token.objects.get(patient__name="Lakshmi Narayan").session == bhat


def test_the_first_free_in_the_department_has_its_slot_and_the_reason(browsing: Browsing) -> None:
    hall, bhat = hospital()
    patient = hall.patient("Lakshmi Narayan")
    page = browsing.open(
        f"/desk/?patient={patient.pk}&who=department-{hall.department.pk}", user=hall.user("reception")
    )
    chosen = page.locator("#drawer .offers[data-source=walk_in] label:has(:checked)")
    at = timezone.localtime(bhat.starts_at, hall.facility.tz)
    expect(chosen).to_contain_text(f"{at:%H:%M}, Dr Bhat, confirmed")
    expect(chosen).to_contain_text("The earliest free place. Nobody moves.")


def test_patients_are_told_with_one_key_and_the_other_desk_follows(browsing: Browsing) -> None:
    hall = Hall(capacity=1)
    for slot in (1, 2):
        hall.give(hall.patient(f"Online {slot}", phone=f"+91984501121{slot}"), "online", slot=slot)
        hall.give(f"Paid {slot}", "paid", slot=slot)
    first, second = Token.objects.filter(status="waitlisted").order_by("slot__starts_at")
    page = browsing.open("/desk/", user=hall.user("reception"))
    other = browsing.open("/desk/?tell=1", user=hall.user("staff"))
    keys, drawer, head = page.keyboard, page.locator("#drawer"), page.locator("#tell")
    expect(head).to_contain_text("2 to be told")
    expect(other.locator("#tell-list label")).to_have_count(2)

    # T opens the list, T again says that the first was told
    keys.press("t")
    expect(drawer).to_contain_text("To be told")
    expect(drawer.locator("a.tel").first).to_have_attribute("href", "tel:+919845011211")
    axe(page, "#drawer")
    keys.press("t")
    expect(page.locator("#toasts")).to_contain_text(f"{first.number} was told.")
    expect(head).to_contain_text("1 to be told")
    expect(other.locator("#tell-list label")).to_have_count(1)
    assert PatientTold.objects.get().token == first

    # U takes it back; arrows choose the other one
    keys.press("u")
    expect(page.locator("#toasts")).to_contain_text(f"{first.number} is still to be told.")
    expect(drawer.locator("label")).to_have_count(2)
    keys.press("ArrowDown")
    keys.press("t")
    expect(page.locator("#toasts")).to_contain_text(f"{second.number} was told.")
    keys.press("t")
    expect(drawer).to_contain_text("Everybody knows")
    expect(other.locator("#tell-list")).to_contain_text("Everybody knows")
    keys.press("Escape")
    expect(drawer).to_be_hidden()


def test_the_patient_who_would_be_displaced_has_already_arrived(browsing: Browsing) -> None:
    hall = Hall(capacity=2, policy="considerate")
    here = hall.give("Already Here", "online", arrived=True)
    absent = hall.give("Not Here Yet", "online")
    patient = hall.patient("Urgent")
    page = browsing.open(f"/desk/?patient={patient.pk}&source=emergency", user=hall.user("reception"))
    offers = page.locator("#drawer .offers[data-source=emergency]")
    slot = offers.locator(f"label:has([value='{hall.slots[1].pk}'])")
    expect(slot).to_contain_text(f"Before {absent.number}: not here yet.")
    slot.locator("input").check()
    page.keyboard.press("Enter")
    expect(page.locator("#drawer")).to_contain_text(f"{absent.number} waits again")
    expect(page.locator(f"#t-{here.pk} svg[aria-label=here]")).to_have_count(1)
    expect(page.locator("#tell")).to_contain_text("1 to be told")


def test_an_emergency_arrives_the_doctor_is_thirty_minutes_late_two_paid_patients_wait(browsing: Browsing) -> None:
    hall = Hall(capacity=2)
    paid = [hall.give(f"Paid {n}", "paid", slot=0, arrived=True) for n in (1, 2)]
    outermost(lambda: supply.delay_session(session_id=hall.session.pk, minutes=30, by=None))
    patient = hall.patient("Urgent")
    page = browsing.open(f"/desk/?patient={patient.pk}&source=emergency", user=hall.user("reception"))
    expect(page.locator(f"#col-{hall.session.pk}")).to_contain_text("30 min late")
    page.locator(f"#drawer .offers[data-source=emergency] [value='{hall.slots[0].pk}']").check()
    page.keyboard.press("Enter")
    expect(page.locator("#drawer")).to_contain_text("confirmed.")
    urgent = Token.objects.get(patient=patient)
    rows = page.locator(f"#slot-{hall.slots[0].pk} .tok")
    expect(rows).to_have_count(3)
    order = rows.evaluate_all("rows => rows.map((row) => row.id)")
    assert order == [f"t-{urgent.pk}", f"t-{paid[0].pk}", f"t-{paid[1].pk}"]
    expect(page.locator(f"#slot-{hall.slots[0].pk}")).to_contain_text("1 waits for a place")


def test_a_button_of_a_shared_column_belongs_to_who_presses_it(browsing: Browsing) -> None:
    hall = Hall(capacity=3)
    tokens = [hall.give(f"Here {n}", slot=0) for n in (1, 2)]
    page = browsing.open("/desk/", user=hall.user("reception"))
    hall.give("Makes a new column", slot=1)
    expect(page.locator(".tok")).to_have_count(3)
    page.get_by_role("button", name="Call next").click()
    expect(page.locator("#toasts")).to_contain_text(f"{tokens[0].number} is called.")
    expect(page.locator(f"#t-{tokens[0].pk}")).to_contain_text("called")
    page.get_by_role("button", name="Call next").click()
    expect(page.locator("#toasts")).to_contain_text(f"{tokens[1].number} is called.")


def test_without_scripts_the_same_buttons_are_a_form(browsing: Browsing) -> None:
    hall = Hall(capacity=1)
    token = hall.give("Here", slot=0)
    hall.give("Online", "online", slot=1)
    hall.give("Paid", "paid", slot=1)
    patient = hall.patient("Lakshmi")
    page = browsing.open("/desk/", user=hall.user("reception"), scripts=False)
    page.get_by_role("button", name="Call next").click()
    expect(page.locator("#toasts")).to_contain_text(f"{token.number} is called.")
    page.locator("#tell").click()
    page.get_by_role("button", name="Told").click()
    expect(page.locator("#drawer")).to_contain_text("Everybody knows")
    page.get_by_role("button", name="was not told").click()
    expect(page.locator("#tell")).to_contain_text("1 to be told")
    page.goto(f"{browsing.server.url}/desk/?patient={patient.pk}")
    page.locator("#who").select_option(f"department-{hall.department.pk}")
    page.get_by_role("button", name="Show the slots of this doctor").click()
    assert "csrf" not in page.url
    expect(page.locator("#who")).to_have_value(f"department-{hall.department.pk}")
    page.goto(f"{browsing.server.url}/overview/")
    page.locator("a.row").click()
    expect(page.locator(f"#col-{hall.session.pk}")).to_be_visible()


@pytest.mark.parametrize("path", ["/desk/?view=columns", "/overview/", "/desk/?tell=1"])
def test_on_a_phone_nothing_is_wider_than_the_screen(browsing: Browsing, path: str) -> None:
    hall, _bhat = hospital()
    hall.give("Lost One", "online", slot=0)
    token = Token.objects.get(patient__name="Paid 2")
    outermost(lambda: allocation.cancel_token(token_id=token.pk, reason="asked", by=None))
    page = browsing.open(path, user=hall.user("reception"), phone=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    axe(page)


def test_a_phone_shows_the_panel_over_everything(browsing: Browsing) -> None:
    hall, _bhat = hospital()
    page = browsing.open("/overview/", user=hall.user("reception"), phone=True)
    page.locator(f"#ov-{hall.session.pk}").tap()
    expect(page.locator("#drawer")).to_contain_text("Dr Rao")
    page.evaluate("document.getAnimations().forEach((each) => each.finish())")
    box = page.locator("#drawer").bounding_box()
    assert (box["x"], box["width"]) == (0, 360)


def test_dark_and_wide(browsing: Browsing) -> None:
    hall, _bhat = hospital()
    page = browsing.open("/overview/", user=hall.user("reception"), dark=True, size=(1920, 1080))
    axe(page)


@pytest.mark.parametrize("path", ["/desk/?show=all", "/overview/"])
def test_a_full_hall_comes_in_one_piece_and_nothing_moves(browsing: Browsing, path: str) -> None:
    hall = full_hall()
    page = browsing.page(browsing.context(user=hall.user("reception")))
    page.goto(browsing.server.url + path, wait_until="load")
    expect(page.locator("#live")).to_contain_text("Live")
    assert layout_shift(page) < STILL


@pytest.mark.parametrize("slot_minutes", [60, 30])
def test_beside_the_panel_now_and_the_next_two_hours_are_seen_without_scrolling(
    browsing: Browsing, slot_minutes: int
) -> None:
    hall = Hall()
    start = timezone.now() - 6 * HOUR
    long = hall.sitting(hall.doctor("Dr Long Day"), start, slots=11)
    if slot_minutes == 30:
        half = long.slots.first()
        Slot.objects.filter(pk=half.pk).update(ends_at=half.starts_at + HOUR / 2)
    page = browsing.open("/overview/", user=hall.user("reception"), size=(1280, 800))
    page.keyboard.press("j")
    expect(page.locator("#drawer > .col")).to_be_visible()
    page.evaluate("document.getAnimations().forEach((each) => each.finish())")
    seen = page.evaluate("""() => {
        const box = (e) => e.getBoundingClientRect();
        const hall = box(document.querySelector(".hall")), day = box(document.querySelector("#ov-scale > .day"));
        const [first, second] = [...document.querySelectorAll("#ov-scale > .day > i")].map((e) => box(e).left);
        const line = box(document.querySelector("#ov-rows .day > i.now")).left;
        return { left: line - day.left, right: hall.right - line, hour: second - first };
    }""")
    assert seen["left"] >= 0
    assert seen["right"] >= 2 * seen["hour"]
    assert page.locator(".hall").evaluate("hall => hall.scrollLeft") == 0


def test_tomorrow_has_no_line_of_now(browsing: Browsing) -> None:
    hall = Hall()
    hall.sitting(hall.rao, timezone.now() + timedelta(days=1))
    tomorrow = hall.facility.local_date() + timedelta(days=1)
    page = browsing.open(f"/overview/?date={tomorrow}", user=hall.user("reception"))
    expect(page.locator("#ov-rows > [role=row]")).to_have_count(1)
    expect(page.locator(".day > .now")).to_have_count(0)


def test_every_step_of_a_row_has_its_key(browsing: Browsing) -> None:
    hall = Hall(capacity=2)
    token = hall.give("Ravi", "walk_in", slot=1, arrived=False)
    page = browsing.open("/desk/", user=hall.user("reception"))
    keys, drawer, said, row = page.keyboard, page.locator("#drawer"), page.locator("#toasts"), page.locator(".tok")
    keys.press("j")
    for key, words, mark in (
        ("a", "has arrived.", "here"),
        ("h", "is held for 10 min", "held"),
        ("u", "The last step of", "here"),
        ("e", "is an emergency now.", "here"),
    ):
        keys.press(key)
        expect(said).to_contain_text(words)
        expect(row.locator(f"svg[aria-label={mark}]")).to_have_count(1)

    # M shows where there are free places, with the effect of each key beside it
    keys.press("m")
    expect(drawer).to_contain_text(f"Move {token.number}")
    expect(drawer.locator("label").filter(has_text="2 free").first).to_be_visible()
    keys.press("Enter")
    expect(said).to_contain_text(f"{token.number} moved to")
    expect(drawer).to_be_hidden()

    # P opens the slip beside the desk
    with page.context.expect_page() as opened:
        keys.press("p")
    expect(opened.value.locator("body")).to_contain_text(token.number)
    opened.value.close()

    # O and X end it, U takes it back
    keys.press("o")
    expect(said).to_contain_text("did not come.")
    keys.press("u")
    expect(said).to_contain_text("is undone.")
    keys.press("x")
    expect(drawer).to_contain_text(f"Cancel {token.number}")
    page.get_by_role("button", name="Patient went home").click()
    keys.press("Enter")
    expect(said).to_contain_text(f"{token.number} is cancelled.")
