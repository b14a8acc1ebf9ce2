"""The board in a real browser: it follows the desk, calls aloud once and one after another, and fits every screen."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.templatetags.static import static
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Facility
from common.api.throttling import AddressThrottle
from common.kept import Kept
from common.testing.browser import STILL, Browsing, axe, layout_shift
from common.transactions import outermost
from reception import board_queries
from reception.pages import board
from reception.tests.factories import HOUR, Hall
from scheduling.models import Room, Session
from scheduling.tests.factories import DepartmentFactory
from tokens import allocation, queueing
from tokens.models import Token

pytestmark = pytest.mark.django_db(transaction=True)

VOICES = (Path(__file__).parent / "voices.js").read_text()


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a database of its own, in which the ids are those of the test before."""
    monkeypatch.setattr(board, "_frames", Kept(seconds=0))
    monkeypatch.setattr(board_queries, "_choices", Kept(seconds=0))
    monkeypatch.setattr(AddressThrottle.window, "_ends", 0.0)


@pytest.fixture
def hall() -> Hall:
    hall = Hall(capacity=6)
    Room.objects.filter(pk=hall.session.room_id).update(name="Room 4")
    return hall


def opened(browsing: Browsing, hall: Hall, query: str = "", before: str = "", **wishes: Any) -> Page:
    """The board in a window of its own, with voices that the test ends."""
    page = browsing.page(browsing.context(**wishes))
    page.add_init_script(before + VOICES)
    page.goto(f"{browsing.server.url}/board/{hall.facility.slug}/{query}")
    expect(page.locator("body")).to_have_attribute("data-state", "live")
    return page


def call_next(session: Session) -> Token:
    outermost(lambda: queueing.call_next(session_id=session.pk, by=None))
    return Token.objects.filter(session=session, called_at__isnull=False).latest("called_at")


def aloud(token: Token, room: str = "Room 4") -> str:
    return f"en-IN: Token {', '.join(token.number.replace('-', ''))}. Please go to {room}."


def hear_out(page: Page, sounds: int) -> list[str]:
    """End sounds as they begin, so many; what was heard."""
    for _ in range(sounds):
        page.wait_for_function("pending.length === 1")
        assert page.evaluate("finish()") == 0, "two sounds at once"
    heard: list[str] = page.evaluate("heard")
    return heard


# What is announced


RUN = """async ({module, calls, options}) => {
  const { Announcer, Memory } = await import(module);
  const log = [];
  const speaker = {
    on: options.on ?? true,
    async chime() { log.push("chime"); await null; log.push("/chime"); },
    async say({ text }) {
      log.push(text);
      await new Promise((resolve) => setTimeout(resolve));
      if (text === options.fails) throw new Error("no voice");
      log.push(`/${text}`);
    },
  };
  const none = { getItem() { throw new Error(); }, setItem() { throw new Error(); } };
  const storage = options.storage ? localStorage : none;
  const memory = () => new Memory(storage, "test");
  let announcer = new Announcer({ speaker, memory: memory(), now: () => 100_000 });
  for (const step of calls) {
    if (step === "reload") announcer = new Announcer({ speaker, memory: memory(), now: () => 100_000 });
    else if (step === "wait") await announcer.speaking;
    else {
      const say = (id) => [{ text: `${id}-en` }, { text: `${id}-hi` }];
      announcer.hear(step.calls.map((id) => ({ id, at: step.at ?? 100_000, say: say(id) })), step);
    }
  }
  await announcer.speaking;
  return log.filter((each) => !each.includes("chime")).join(" ");
}"""
A, B = "a-en /a-en a-hi /a-hi", "b-en /b-en b-hi /b-hi"


@pytest.mark.parametrize(
    ("calls", "options", "log"),
    [
        ([{"calls": ["a", "b"]}], {}, f"{A} {B}"),
        ([{"calls": ["a"]}, {"calls": ["a", "b"]}, {"calls": ["a", "b"]}], {}, f"{A} {B}"),
        # once for a screen, reloaded or not
        ([{"calls": ["a"]}, "wait", "reload", {"calls": ["a", "b"], "back": True}], {"storage": True}, f"{A} {B}"),
        # a browser that stores nothing
        ([{"calls": ["a"]}, {"calls": ["a"]}], {"storage": False}, A),
        # older than a minute: silent when the screen comes back, spoken while it is live
        ([{"calls": ["a"], "at": 39_000, "back": True}, {"calls": ["a", "b"]}], {}, B),
        ([{"calls": ["a"], "at": 41_000, "back": True}], {}, A),
        ([{"calls": ["a"], "at": 0}], {}, A),
        # taken back, or gone in, before its turn came
        ([{"calls": ["a", "b"]}, {"calls": ["a"]}], {}, A),
        ([{"calls": ["a"]}, {"calls": []}], {}, ""),
        # a voice that fails does not stop the next call
        ([{"calls": ["a", "b"]}], {"fails": "a-en"}, f"a-en {B}"),
        # sound is off: nothing waits to be said later
        ([{"calls": ["a"]}], {"on": False}, ""),
    ],
)
def test_what_is_announced_and_when(
    browsing: Browsing, hall: Hall, calls: list[Any], options: dict[str, Any], log: str
) -> None:
    page = browsing.open(f"/board/{hall.facility.slug}/")
    page.evaluate("localStorage.clear()")
    module = static("js/board-announcer.js")
    assert page.evaluate(RUN, {"module": module, "calls": calls, "options": options}) == log


def test_what_was_announced_is_not_remembered_for_ever(browsing: Browsing, hall: Hall) -> None:
    page = browsing.open(f"/board/{hall.facility.slug}/")
    kept = page.evaluate(
        """async (module) => {
          const { Memory } = await import(module);
          const memory = new Memory(localStorage, "long");
          for (let call = 0; call < 1000; call++) memory.add(`A-${call}`);
          return [JSON.parse(localStorage.getItem("long")).length, memory.has("A-999"), memory.has("A-1")];
        }""",
        static("js/board-announcer.js"),
    )
    assert kept[0] <= 300
    assert kept[1:] == [True, False]


def test_the_best_voice_for_a_language(browsing: Browsing, hall: Hall) -> None:
    page = browsing.open(f"/board/{hall.facility.slug}/")
    found = page.evaluate(
        """async (module) => {
          const { voiceFor } = await import(module);
          const voices = [{ lang: "en-US" }, { lang: "en_GB", localService: true }, { lang: "en-IN" }, { lang: "hi" }];
          return ["en-IN", "en-AU", "hi-IN", "ar-IN"].map((lang) => voiceFor(lang, voices)?.lang ?? "");
        }""",
        static("js/board-sound.js"),
    )
    assert found == ["en-IN", "en_GB", "hi", ""]


# The board beside the desk


def test_a_call_at_the_desk_is_on_the_board_and_called_aloud(browsing: Browsing, hall: Hall) -> None:
    token = hall.give("Lakshmi Narayan", arrived=True)
    screen = opened(browsing, hall, size=(1920, 1080), dark=True)
    room = screen.locator(".r")
    expect(room).not_to_have_class("r called")
    desk = browsing.open("/desk/", user=hall.user("reception"))
    desk.get_by_role("button", name="Call next").click()
    expect(room).to_have_class("r called")
    expect(room).to_contain_text(token.number)
    expect(room).to_contain_text("Please go in")
    assert hear_out(screen, 2) == ["chime", "/chime", aloud(token), f"/{aloud(token)}"]
    expect(screen.get_by_role("status")).to_contain_text("Please go to Room 4.")
    assert "Lakshmi" not in screen.content()

    # called again and again: the page does not grow
    size = "document.querySelectorAll('*').length"
    before = screen.evaluate(size)
    for _ in range(5):
        outermost(lambda: queueing.recall(token_id=token.pk, by=None))
        hear_out(screen, 2)
    assert screen.evaluate(size) == before

    outermost(lambda: queueing.start(token_id=token.pk, by=None))
    expect(room).to_have_class("r inside")
    expect(room).not_to_contain_text("Please go in")


def test_two_rooms_call_at_once_and_do_not_talk_over_each_other(browsing: Browsing, hall: Hall) -> None:
    Facility.objects.filter(pk=hall.facility.pk).update(languages=["en", "hi", "ar"])
    nair = hall.sitting(hall.doctor("Dr Nair"), timezone.now() - HOUR / 2)
    other = nair.slots.get(starts_at=nair.starts_at + HOUR)
    first = hall.give("Lakshmi Narayan", arrived=True)
    patient = hall.patient("Ravi Prasad")
    outermost(
        lambda: allocation.request_token(
            patient_id=patient.pk, source="walk_in", slot_id=other.pk, arrived=True, by=None
        )
    )
    screen = opened(browsing, hall)
    call_next(hall.session)
    second = call_next(nair)
    expect(screen.locator(".r.called")).to_have_count(2)
    # three sounds each: there is no Arabic voice here, and no other one reads Arabic
    heard = [sound for sound in hear_out(screen, 6) if not sound.startswith("/")]
    assert [heard[0], heard[3]] == ["chime", "chime"]
    assert {heard[1], heard[4]} == {aloud(first), aloud(second, nair.room.name)}
    assert all(heard[at].startswith("hi_IN: ") for at in (2, 5))

    # said once, also after a reload; called again, it is said again
    screen.reload()
    expect(screen.locator(".r.called")).to_have_count(2)
    outermost(lambda: queueing.recall(token_id=first.pk, by=None))
    assert hear_out(screen, 2)[:3:2] == ["chime", aloud(first)]
    assert hear_out(screen, 1)[4].startswith("hi_IN: ")


def test_a_call_from_before_the_screen_came_is_shown_and_not_spoken(browsing: Browsing, hall: Hall) -> None:
    token, ravi = hall.give("Lakshmi Narayan", arrived=True), hall.give("Ravi Prasad", arrived=True)
    outermost(lambda: queueing.call(token_id=token.pk, by=None))
    Token.objects.filter(pk=token.pk).update(called_at=timezone.now() - timedelta(minutes=2))
    screen = opened(browsing, hall)
    expect(screen.locator(".r.called")).to_contain_text(token.number)
    outermost(lambda: queueing.call(token_id=ravi.pk, by=None))
    assert hear_out(screen, 2)[2] == aloud(ravi)
    assert aloud(token) not in screen.evaluate("heard")


def test_where_the_browser_allows_no_sound_a_button_turns_it_on(browsing: Browsing, hall: Hall) -> None:
    hall.give("Lakshmi Narayan", arrived=True)
    screen = opened(browsing, hall, before="window.blocked = true;")
    expect(screen.get_by_text("Sound is off.")).to_be_visible()
    call_next(hall.session)
    expect(screen.locator(".r.called")).to_be_visible()
    assert screen.evaluate("heard") == []
    screen.get_by_role("button", name="Turn on sound").click()
    expect(screen.get_by_text("Numbers are also called aloud.").first).to_be_visible()
    expect(screen.get_by_text("Sound is off.")).to_be_hidden()
    outermost(lambda: queueing.recall(token_id=Token.objects.get().pk, by=None))
    assert hear_out(screen, 2)[0] == "chime"


def test_the_settings_try_the_sound_and_choose_rooms(browsing: Browsing, hall: Hall) -> None:
    Facility.objects.filter(pk=hall.facility.pk).update(languages=["en", "ar"])
    hall.sitting(hall.doctor("Dr Nair"), timezone.now() - HOUR / 2)
    screen = opened(browsing, hall, size=(1280, 800))
    screen.keyboard.press("s")
    settings = screen.get_by_role("dialog")
    expect(settings).to_contain_text("English: voice found")
    expect(settings).to_contain_text("no voice on this screen")
    axe(screen)
    settings.get_by_role("button", name="Test sound").click()
    assert hear_out(screen, 2)[2] == "en-IN: Token A, 0, 1, 7. Please go to Room 4."
    settings.get_by_label("Room 4", exact=True).check()
    settings.get_by_role("button", name="Show this board").click()
    expect(screen.locator(".r")).to_have_count(1)
    expect(screen.locator(".r")).to_contain_text("Dr Rao")
    assert f"rooms={hall.session.room_id}" in screen.url


# A lost connection


def test_the_screen_in_the_waiting_hall_loses_its_connection(browsing: Browsing, hall: Hall) -> None:
    lakshmi, ravi = hall.give("Lakshmi Narayan", arrived=True), hall.give("Ravi Prasad", arrived=True)
    call_next(hall.session)
    screen = opened(browsing, hall)
    room, stale = screen.locator(".r"), screen.locator("#stale")
    expect(stale).to_be_hidden()

    screen.context.set_offline(True)
    expect(stale).to_be_visible()
    expect(stale).to_contain_text("Not live since 1")
    expect(stale).to_contain_text("These numbers may have moved. Please ask at the desk.")
    expect(screen.locator(".live-now")).to_be_hidden()
    # nobody is called in by a screen that does not know
    expect(room.get_by_text("Please go in")).to_be_hidden()
    axe(screen)

    outermost(lambda: queueing.start(token_id=lakshmi.pk, by=None))
    outermost(lambda: queueing.complete(token_id=lakshmi.pk, by=None))
    outermost(lambda: queueing.call(token_id=ravi.pk, by=None))
    expect(room).to_contain_text(lakshmi.number)
    screen.context.set_offline(False)
    expect(stale).to_be_hidden()
    expect(room).to_have_class("r called")
    expect(room).to_contain_text(ravi.number)
    expect(room).not_to_contain_text(lakshmi.number)


# Every screen


MEASURE = """() => {
  const found = [];
  const sheet = document.querySelector(".sheet").getBoundingClientRect();
  const seen = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const texts = document.querySelectorAll(".sheet :is(header, footer, h1, time, p, b, small, .btn)");
  for (const element of [...texts].filter((each) => seen(each) && !each.matches(".vh"))) {
    const box = element.getBoundingClientRect();
    const room = element.closest(".r")?.getBoundingClientRect() ?? sheet;
    const text = `${element.tagName}.${element.className} ${element.textContent.trim()}`;
    if (box.left < room.left - 1 || box.right > room.right + 1) found.push(`beside: ${text}`);
    if (box.top < room.top - 2 || box.bottom > room.bottom + 2) found.push(`above or below: ${text}`);
    const cut = element.clientWidth && element.scrollWidth > element.clientWidth + 1;
    if (element.matches(".num, .notes, .then") && cut) found.push(`cut: ${text}`);
  }
  const page = document.scrollingElement;
  if (page.scrollWidth > innerWidth || page.scrollHeight > innerHeight) found.push("the page scrolls");
  return found;
}"""
"""What does not fit: into its room, into the sheet, into its own box, or into the screen."""

SIZES = {
    "phone": (360, 640),
    "phone on its side": (740, 360),
    "laptop": (1280, 800),
    "hall": (1920, 1080),
    "upright": (1080, 1920),
    "4K": (3840, 2160),
    "old": (1024, 768),
}


def full_hall(hall: Hall, rooms: int) -> None:
    """So many rooms, one late, one in a break, one not begun; most with somebody called and somebody next."""
    department = DepartmentFactory(facility=hall.facility, name="Obstetrics and Gynaecology", code="obg")
    for number in range(1, rooms):
        doctor = hall.doctor(f"Dr Venkataraman Subramanian {number}", department=department)
        sitting = hall.sitting(doctor, timezone.now() + (HOUR if number == 3 else -HOUR / 2))
        Room.objects.filter(pk=sitting.room_id).update(name=f"Room {number + 10}")
        slot = sitting.slots.get(starts_at=sitting.starts_at + HOUR)
        for _ in range(4):
            wish = {
                "patient_id": hall.patient("Venkatanarasimharaju Lakshminarayanan").pk,
                "source": "walk_in",
                "slot_id": slot.pk,
            }
            outermost(lambda wish=wish: allocation.request_token(**wish, arrived=True, by=None))  # type: ignore[misc]
        if number % 3:
            call_next(sitting)
    Session.objects.filter(doctor__name__endswith=" 4").update(delay_minutes=45)
    Session.objects.filter(doctor__name__endswith=" 6").update(paused_at=timezone.now(), calls=1)


@pytest.mark.parametrize("rooms", [1, 2, 6, 20])
def test_it_fits_every_screen(browsing: Browsing, hall: Hall, rooms: int) -> None:
    full_hall(hall, rooms)
    hall.give("Lakshmi Narayan", arrived=True)
    screen = opened(browsing, hall, dark=True, size=SIZES["hall"])
    assert layout_shift(screen) < STILL
    for name, (width, height) in SIZES.items():
        screen.set_viewport_size({"width": width, "height": height})
        assert screen.evaluate(MEASURE) == [], f"{rooms} rooms, {name}"
    axe(screen)
    screen.emulate_media(color_scheme="light")
    axe(screen)


def test_where_not_all_rooms_fit_pages_turn_calmly_and_to_a_call_at_once(browsing: Browsing, hall: Hall) -> None:
    full_hall(hall, 12)
    Token.objects.filter(call_count__gt=0).update(called_at=timezone.now() - HOUR / 2)
    page = browsing.page(browsing.context(size=(360, 640)))
    page.add_init_script(VOICES)
    page.clock.install(time=0)
    page.clock.pause_at(1)  # no time passes but the test's own
    page.goto(f"{browsing.server.url}/board/{hall.facility.slug}/")
    shown = page.locator(".r:not([hidden])")
    expect(page.get_by_text("Page 1 of 2")).to_be_visible()
    first = shown.first.inner_text()
    page.clock.run_for(11_000)
    expect(page.get_by_text("Page 1 of 2")).to_be_visible()
    page.clock.run_for(2_000)
    expect(page.get_by_text("Page 2 of 2")).to_be_visible()
    assert shown.first.inner_text() != first

    # the call is on the first page: it is turned to, and stays while the call is announced
    hall.give("Lakshmi Narayan", arrived=True)
    call_next(hall.session)
    expect(page.get_by_text("Page 1 of 2")).to_be_visible()
    page.wait_for_function("pending.length === 1")
    page.clock.run_for(30_000)
    assert page.get_by_text("Page 1 of 2").is_visible()


@pytest.mark.parametrize("language", ["hi", "ar"])
def test_every_language_has_its_direction_and_fits(browsing: Browsing, hall: Hall, language: str) -> None:
    Facility.objects.filter(pk=hall.facility.pk).update(languages=[language, "en"], show_names_on_board=True)
    full_hall(hall, 6)
    screen = opened(browsing, hall, dark=True)
    assert screen.evaluate("document.dir") == ("rtl" if language == "ar" else "ltr")
    for width, height in SIZES.values():
        screen.set_viewport_size({"width": width, "height": height})
        assert screen.evaluate(MEASURE) == []
    axe(screen)


def test_without_scripts_it_is_what_it_was_when_it_was_opened(browsing: Browsing, hall: Hall) -> None:
    token = hall.give("Lakshmi Narayan", arrived=True)
    call_next(hall.session)
    page = browsing.open(f"/board/{hall.facility.slug}/", scripts=False)
    expect(page.locator(".r.called")).to_contain_text(token.number)
    expect(page.get_by_text("This page does not change by itself.")).to_be_visible()
    expect(page.get_by_text("Live", exact=True)).to_be_hidden()
