"""The pictures of the documentation, taken from the demo hospital by the system's Chromium."""

from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from billing.models import Bill
from billing.states import BillStatus
from common.testing.chromium import ARGUMENTS, chromium
from patients.models import Patient
from reception.demo.people import PASSWORD
from tokens.models import Token
from tokens.states import Source, Status

SMALL = 400


@dataclass(frozen=True)
class Picture:
    """A page of the demo hospital as it is shown in the documentation.

    Attributes:
        address: finds out which page shows something worth seeing.
        user: who looks; nobody in particular where no one signs in.
        ready: what is there when the page is.
        focus: what has the focus.
    """

    address: Callable[[], str]
    user: str = ""
    size: tuple[int, int] = (1280, 800)
    ready: str = "#live:not([data-unheard])"
    focus: str = ""

    @property
    def screen(self) -> dict[str, Any]:
        """The browser's window: a phone's is sharp, and touched."""
        width, height = self.size
        phone = width < SMALL
        return {
            "viewport": {"width": width, "height": height},
            "device_scale_factor": 2 if phone else 1,
            "has_touch": phone,
            "color_scheme": "light",
        }


def giving() -> str:
    """A token being given to Dr Rao with paid priority: the picture shows what it does to others.

    Somebody who holds no token asks; somebody who is not here yet is selected.
    """
    absent = of_rao(arrived_at=None)
    free = Patient.objects.filter(facility=absent.session.facility, is_active=True, sex="female")
    free = free.exclude(tokens__session__date__gte=absent.session.date)
    doctor = f"doctor-{absent.session.doctor_id}"
    shown = {"patient": free.latest("id").pk, "source": Source.PAID, "who": doctor, "token": absent.pk}
    return f"{reverse('desk')}?{urlencode(shown | {'view': 'columns'})}"


def of_rao(**state: Any) -> Token:
    """The first token of Dr Rao's morning in a state.

    Raises:
        CommandError: there is none any more.
    """
    tokens = Token.objects.filter(session__doctor__user__username="rao", status=Status.CONFIRMED, **state)
    found = tokens.select_related("session__facility").order_by("slot__starts_at", "score").first()
    if found is None:
        raise CommandError("The demo hospital's morning is over: load it anew.")
    return found


def board() -> str:
    """The hall's screen."""
    return reverse("board", args=[of_rao().session.facility.slug])


def phone() -> str:
    """The page of somebody who waits in the hall."""
    return reverse("patient", args=[of_rao(arrived_at__isnull=False).key])


def cash() -> str:
    """Money being taken for a bill of which a part was paid before."""
    bill = Bill.objects.filter(status=BillStatus.PART_PAID).latest("id")
    return f"{reverse('cash')}?{urlencode({'bill': bill.pk})}"


PICTURES = {
    "desk": Picture(giving, user="asha", focus="#give [value=paid]"),
    "overview": Picture(lambda: reverse("overview"), user="asha"),
    "console": Picture(lambda: reverse("console"), user="rao"),
    "cash": Picture(cash, user="meena"),
    "reports": Picture(lambda: reverse("reports"), user="vikram", ready=".fig"),
    "board": Picture(board, size=(1280, 720), ready=".live-now"),
    "phone": Picture(phone, size=(360, 740)),
}


class Command(BaseCommand):
    """`manage.py screenshots`: takes docs/*.png from a running server with the demo hospital."""

    help = "Takes the pictures of the documentation from a running server with the demo hospital."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which pictures, the server's address, and where the pictures go."""
        parser.add_argument("names", nargs="*", metavar="NAME", help=f"all of them, or some of {', '.join(PICTURES)}")
        parser.add_argument("--server", default=f"http://127.0.0.1:{settings.PORT}/")
        parser.add_argument("--out", type=Path, default=settings.BASE_DIR / "docs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Open each page, take its picture, and make it small."""
        from playwright.sync_api import sync_playwright

        if unknown := set(options["names"]) - set(PICTURES):
            raise CommandError(f"There is no picture called {unknown.pop()}: choose of {', '.join(PICTURES)}.")
        if chromium() is None:
            raise CommandError("Chromium is not installed: apt-get install chromium fonts-noto-core")
        options["out"].mkdir(exist_ok=True)
        wanted = {name: PICTURES[name] for name in options["names"] or PICTURES}
        # Before the browser starts: its event loop lets nobody into the database.
        addresses = {name: picture.address() for name, picture in wanted.items()}
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
            for name, picture in wanted.items():
                file = options["out"] / f"{name}.png"
                page = browser.new_context(**picture.screen).new_page()
                take(page, options["server"], picture, addresses[name], file)
                shrink(file)
                self.stdout.write(f"{file}: {file.stat().st_size // 1024} kB")
            browser.close()


def take(page: Any, server: str, picture: Picture, address: str, file: Path) -> None:
    """One picture, of a page that is live and has come to rest."""
    if picture.user:
        page.goto(urljoin(server, "accounts/login/"))
        page.fill("[name=login]", picture.user)
        page.fill("[name=password]", PASSWORD)
        page.press("[name=password]", "Enter")
        page.wait_for_url(lambda address: "/accounts/" not in address, wait_until="load")  # everybody lands elsewhere
    page.goto(urljoin(server, address), wait_until="load")
    page.wait_for_selector(picture.ready, state="attached")
    if picture.focus:
        page.focus(picture.focus)
    page.screenshot(path=file, animations="disabled")


def shrink(file: Path) -> None:
    """A screen of text needs no more than a palette: a third of the size."""
    from PIL import Image

    with Image.open(file) as shot:
        small = shot.convert("RGB").quantize(colors=256, dither=Image.Dither.NONE)
    small.save(file, optimize=True)
