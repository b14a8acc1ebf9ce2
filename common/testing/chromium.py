"""Where the system's Chromium is, and how it is started: for browser tests and for the documentation's pictures."""

import shutil

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""First the one without a window of its own: the same engine, at half the processor time."""

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
    """The browser's path; nothing where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)
