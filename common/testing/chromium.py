"""Where the system's Chromium is, and how it is started: for browser tests and for the documentation's pictures."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Quiet: it calls nobody, and asks nothing on its first run.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    """The browser's path: of the one that ``OPD_BROWSER`` names, or the system's; nothing where there is none.

    Raises:
        FileNotFoundError: the one that was named is not there. Without it no test of a page would run, unseen.
    """
    if wanted := os.environ.get("OPD_BROWSER"):
        if found := shutil.which(wanted):
            return found
        raise FileNotFoundError(f"OPD_BROWSER is {wanted}, which is not there.")
    return next((path for name in NAMES if (path := shutil.which(name))), None)
