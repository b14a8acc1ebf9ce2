"""The pictures of the documentation, taken from the demo hospital by the system's Chromium."""

import shutil
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from patients.models import Patient
from reception.demo.people import PASSWORD
from tokens.models import Token
from tokens.states import Source, Status

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


class Command(BaseCommand):
    """`manage.py screenshots`: takes docs/desk.png from a running server with the demo hospital."""

    help = "Takes the pictures of the documentation from a running server with the demo hospital."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The server's address, and where the pictures go."""
        parser.add_argument("--server", default=f"http://127.0.0.1:{settings.PORT}/")
        parser.add_argument("--out", type=Path, default=settings.BASE_DIR / "docs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Sign in, open the desk with a token being given, take the picture, and make it small."""
        from playwright.sync_api import sync_playwright

        chromium = next((path for name in BROWSERS if (path := shutil.which(name))), None)
        if chromium is None:
            raise CommandError("Chromium is not installed: apt-get install chromium fonts-noto-core")
        options["out"].mkdir(exist_ok=True)
        picture, shown = options["out"] / "desk.png", giving()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
            take(page, options["server"], shown, picture)
            browser.close()
        shrink(picture)
        self.stdout.write(f"{picture}: {picture.stat().st_size // 1024} kB")


def giving() -> dict[str, Any]:
    """A token being given to Dr Rao with paid priority: the picture shows what it does to others.

    Somebody who holds no token asks; somebody who is not here yet is selected.
    """
    tokens = Token.objects.filter(session__doctor__user__username="rao", status=Status.CONFIRMED).select_related(
        "session"
    )
    absent = tokens.filter(arrived_at=None).order_by("slot__starts_at", "score").first()
    if absent is None:
        raise CommandError("The demo hospital's morning is over: load it anew.")
    free = Patient.objects.filter(facility=absent.session.facility, tokens=None, is_active=True, sex="female")
    doctor = f"doctor-{absent.session.doctor_id}"
    return {"patient": free.latest("id").pk, "source": Source.PAID, "who": doctor, "token": absent.pk}


def take(page: Any, server: str, shown: dict[str, Any], picture: Path) -> None:
    """The desk while a token is being given."""
    page.goto(urljoin(server, "accounts/login/"))
    page.fill("[name=login]", "asha")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(urljoin(server, "desk/"), wait_until="load")
    page.goto(urljoin(server, f"desk/?{urlencode(shown)}"), wait_until="load")
    page.wait_for_selector("#live:not([data-unheard])")
    page.focus("#give [value=paid]")
    page.screenshot(path=picture, animations="disabled")


def shrink(picture: Path) -> None:
    """A screen of text needs no more than a palette: a third of the size."""
    from PIL import Image

    with Image.open(picture) as shot:
        small = shot.convert("RGB").quantize(colors=256, dither=Image.Dither.NONE)
    small.save(picture, optimize=True)
