"""The pictures of the documentation, taken from the demo hospital by the system's Chromium."""

import shutil
import subprocess
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from reception.demo.people import PASSWORD

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
# Somebody of the demo who is looked for, and a source with priority: the picture shows what it does to others.
SOUGHT = "laxmi trivedi"


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
        picture = options["out"] / "desk.png"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
            take(page, options["server"], picture)
            browser.close()
        shrink(picture)
        self.stdout.write(f"{picture}: {picture.stat().st_size // 1024} kB")


def take(page: Any, server: str, picture: Path) -> None:
    """The desk while a token is being given."""
    page.goto(urljoin(server, "accounts/login/"))
    page.fill("[name=login]", "asha")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(urljoin(server, "desk/"), wait_until="load")
    page.wait_for_selector("#live:not([hidden])")
    page.keyboard.press("/")
    page.keyboard.type(SOUGHT)
    page.keyboard.press("Enter")
    page.wait_for_selector("#give")
    page.keyboard.press("4")
    page.wait_for_selector("#give [value=paid]:checked")
    page.screenshot(path=picture, animations="disabled")


def shrink(picture: Path) -> None:
    """Fewer colours: a screen of text needs no more. Where the tool is missing the picture stays as it is."""
    tool = shutil.which("pngquant")
    if tool:
        subprocess.run([tool, "--force", "--ext", ".png", "--quality", "70-95", str(picture)], check=True)  # noqa: S603
