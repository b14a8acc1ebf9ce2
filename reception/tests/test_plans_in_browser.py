"""A slot is cut and given back, a patient corrected, another sent on: with the keyboard alone. And the slip."""

import re
import uuid

import pytest
from playwright.sync_api import expect

from common.testing.browser import STILL, Browsing, axe, layout_shift
from reception.tests.factories import Hall
from tokens.models import Plan, Token

pytestmark = pytest.mark.django_db(transaction=True)


def filled(hall: Hall, *, slot: int = 2, here: int = 2) -> list[Token]:
    """A slot in which every place is taken, and the last ones have arrived."""
    tokens = [hall.give(f"Patient {number}", "online", slot=slot) for number in range(hall.capacity)]
    for token in tokens[-here:]:
        hall.arrive(token)
    return tokens


def test_a_slot_of_six_is_cut_to_three_after_it_was_filled_and_given_back(browsing: Browsing) -> None:
    hall = Hall(capacity=6, policy="ranked-next-slot")
    hall.sitting(hall.rao, hall.session.ends_at, slots=1)
    tokens = filled(hall)
    page = browsing.open(f"/desk/?token={tokens[0].pk}", user=hall.user("reception"))
    keys, drawer = page.keyboard, page.locator("#drawer")

    keys.press("l")
    expect(page.locator("#capacity")).to_be_focused()
    keys.type("3")
    expect(drawer).to_contain_text("3 people move. The 2 who are already here keep their place.")
    expect(drawer.locator(".people").first).to_contain_text(tokens[3].number)
    expect(page.locator("#said")).to_contain_text("3 people move.")
    axe(page, "#drawer")
    keys.press("Enter")
    expect(drawer).to_contain_text("now has 3 places")
    expect(drawer).to_contain_text("exactly as previewed")
    expect(page.locator(f"#slot-{hall.slots[2].pk} summary")).to_contain_text("3 of 3")

    keys.press("u")
    expect(drawer).to_contain_text("everything is as it was before")
    assert Plan.objects.get().undone_at is not None
    expect(page.locator(f"#slot-{hall.slots[2].pk} summary")).to_contain_text("6 of 6")
    keys.press("Escape")
    expect(drawer).to_be_hidden()


def test_what_moved_meanwhile_is_shown_anew_and_nothing_typed_is_lost(browsing: Browsing) -> None:
    hall = Hall(capacity=6)
    tokens = filled(hall)
    page = browsing.open(f"/desk/?token={tokens[0].pk}", user=hall.user("reception"))
    keys, drawer = page.keyboard, page.locator("#drawer")
    keys.press("l")
    expect(page.locator("#capacity")).to_be_focused()
    keys.type("3")
    expect(drawer.get_by_role("button", name="Move 3 people to the waitlist")).to_be_visible()
    page.fill("#reason", "ward round")
    hall.arrive(tokens[3])
    keys.press("Enter")
    expect(drawer).to_contain_text("Nothing was changed: the slot moved while you read")
    expect(drawer).to_contain_text(f"{tokens[0].number} would lose the place instead of {tokens[3].number}.")
    expect(page.locator("#reason")).to_have_value("ward round")
    axe(page, "#drawer")
    drawer.get_by_role("button", name="Move 3 people to the waitlist").press("Enter")
    expect(drawer).to_contain_text("now has 3 places")


def test_a_doctor_is_late_and_the_toast_takes_it_back(browsing: Browsing) -> None:
    hall = Hall()
    token = hall.give("Ravi", "online")
    page = browsing.open(f"/desk/?token={token.pk}", user=hall.user("reception"))
    keys = page.keyboard
    keys.press("y")
    expect(page.locator("#drawer")).to_contain_text("How late?")
    keys.press("ArrowRight")
    expect(page.get_by_role("button", name="Say 20 min late")).to_be_visible()
    keys.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Dr Rao is 20 min late. Every estimate changes.")
    expect(page.locator(f"#col-{hall.session.pk}")).to_contain_text("20 min late")
    keys.press("u")
    expect(page.locator("#toasts")).to_contain_text("Dr Rao is on time again.")
    hall.session.refresh_from_db()
    assert hall.session.delay_minutes == 0


def test_the_right_patient_is_found_and_the_token_corrected(browsing: Browsing) -> None:
    hall = Hall()
    token = hall.give("Ravi Kumar", "online")
    right = hall.patient("Lakshmi Narayan", phone="+919845011213")
    page = browsing.open(f"/desk/?token={token.pk}", user=hall.user("reception"))
    keys, drawer = page.keyboard, page.locator("#drawer")
    page.locator("#actionbar summary").press("Enter")
    page.get_by_role("link", name="Correct the patient").press("Enter")
    expect(page.locator("#right")).to_be_focused()
    keys.type("laxmi narayn")
    expect(page.locator("#people")).to_contain_text(right.number)
    keys.press("Enter")
    expect(drawer).to_contain_text("keeps its number, its place and its slip")
    axe(page, "#drawer")
    expect(page.locator("#reason")).to_be_focused()
    keys.type("Wrong record chosen")
    keys.press("Enter")
    expect(page.locator("#toasts")).to_contain_text(f"{token.number} belongs to Lakshmi Narayan now.")
    expect(page.locator(f"#t-{token.pk}")).to_contain_text("Lakshmi Narayan")
    keys.press("u")
    expect(page.locator(f"#t-{token.pk}")).to_contain_text("Ravi Kumar")


def test_a_patient_is_sent_on(browsing: Browsing) -> None:
    hall = Hall()
    hall.sitting(hall.doctor("Dr Nair"), hall.session.starts_at)
    token = hall.give("Ravi")
    page = browsing.open(f"/desk/?token={token.pk}", user=hall.user("reception"))
    keys, drawer = page.keyboard, page.locator("#drawer")
    keys.press("d")
    expect(drawer.get_by_role("radio")).to_have_count(1)
    expect(drawer).to_contain_text("Dr Nair")
    page.fill("#reason", "Another specialty")
    keys.press("Enter")
    expect(page.locator("#toasts")).to_contain_text(f"{token.number} is sent on to Dr Nair")
    new = Token.objects.get(sent_from=token)
    expect(page.locator("#actionbar")).to_have_attribute("data-token", str(new.pk))


def test_the_page_of_a_token_follows_by_itself_and_explains_by_a_click(browsing: Browsing) -> None:
    hall = Hall(capacity=3)
    walk_in, paid = hall.give("Walks In"), hall.give("Has Paid", "paid")
    page = browsing.open(f"/desk/tokens/{walk_in.pk}/", user=hall.user("reception"))
    assert layout_shift(page) < STILL
    expect(page.locator("#live")).to_have_text("Live")
    expect(page.locator("#token-place")).to_contain_text("1 person is ahead")
    late = hall.give("Urgent", "emergency")
    expect(page.locator("#token-place")).to_contain_text("2 people are ahead")
    expect(page.locator("#token-place")).to_contain_text(late.number)
    page.locator("#token-place li", has_text=paid.number).get_by_text("Why?").click()
    expect(page.locator("main")).to_contain_text(f"{paid.number} stands before {walk_in.number}:")
    page.keyboard.press("h")
    expect(page.locator(".notice")).to_contain_text("is held for 10 min")
    page.keyboard.press("u")
    expect(page.locator(".notice")).to_contain_text("is undone")


STATES = [
    "/desk/sessions/{session}/",
    "/desk/sessions/{session}/?do=delay",
    "/desk/sessions/{session}/?do=pause",
    "/desk/sessions/{session}/?do=capacity&slot={slot}&capacity=3",
    "/desk/sessions/{session}/?do=cancel",
    "/desk/tokens/{token}/",
    "/desk/tokens/{token}/send-on/",
    "/desk/tokens/{token}/correct/?q=ravi",
    "/desk/tokens/{token}/correct/?patient={patient}",
    "/desk/tokens/{token}/slip/",
]


@pytest.mark.parametrize("look", [{}, {"dark": True}, {"phone": True}], ids=["light", "dark", "phone"])
def test_every_page_has_no_serious_finding_and_fits_its_screen(browsing: Browsing, look: dict[str, bool]) -> None:
    hall = Hall(capacity=6)
    tokens = filled(hall)
    ids = {"session": hall.session.pk, "slot": hall.slots[2].pk, "token": tokens[0].pk}
    context = browsing.context(user=hall.user("reception"), **look)
    page = browsing.page(context)
    for path in STATES:
        page.goto(browsing.server.url + path.format(**ids, patient=hall.patient("Ravi Menon").pk), wait_until="load")
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_without_scripts_a_slot_is_cut_and_given_back(browsing: Browsing) -> None:
    hall = Hall(capacity=6)
    filled(hall)
    page = browsing.open("/desk/?show=all", user=hall.user("reception"), scripts=False)
    page.get_by_role("link", name="Late, pause, places, close").first.click()
    page.get_by_role("link", name="Places").last.click()
    page.fill("#capacity", "3")
    page.get_by_role("button", name="Show what happens").click()
    expect(page.locator("h1")).to_contain_text("from 6 places to 3")
    page.get_by_role("button", name="Move 3 people to the waitlist").click()
    expect(page.locator("h1")).to_contain_text("now has 3 places")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("main")).to_contain_text("everything is as it was before")


def test_the_slip_is_one_piece_of_paper_80_mm_wide(browsing: Browsing) -> None:
    hall = Hall(capacity=1)
    hall.give("Before Her", "online", slot=2)
    token = hall.give("Lakshmi Narayan", "online", slot=2)
    user = hall.user("reception")
    page = browsing.page(browsing.context(user=user))
    page.add_init_script("window.print = () => document.body.setAttribute('data-was-printed', '')")
    page.goto(f"{browsing.server.url}/desk/tokens/{token.pk}/", wait_until="load")
    for copy in range(2):
        page.request.post(
            f"{browsing.server.url}/desk/tokens/{token.pk}/print/",
            form={"idempotency_key": uuid.uuid4().hex, "csrfmiddlewaretoken": _csrf(page)},
        )
        page.goto(f"{browsing.server.url}/desk/tokens/{token.pk}/slip/?print={copy}", wait_until="load")
        expect(page.locator("body")).to_have_attribute("data-was-printed", "")
        paper = page.pdf(prefer_css_page_size=True)
        width = float(re.findall(rb"/MediaBox \[0 0 ([\d.]+)", paper)[0])
        assert width == pytest.approx(80 / 25.4 * 72, abs=1)
        assert len(re.findall(rb"/Type /Page\b[^s]", paper)) == 1
        assert page.get_by_text("COPY, printed again").count() == copy
        printed = page.locator(".paper").inner_text()
        assert "Lakshmi" not in printed
        assert str(token.patient.phone) not in printed


def _csrf(page) -> str:
    return next(each["value"] for each in page.context.cookies() if each["name"] == "csrftoken")
