"""Where the figures come from, for they mean nothing without it."""

import os
import platform
from typing import Any

import django
from django.db import connection
from django.utils import timezone


def describe() -> dict[str, Any]:
    """Processors, load, versions, and whether a commit waits for the disk."""
    settings = {}
    with connection.cursor() as cursor:
        for name in ("server_version", "fsync", "synchronous_commit"):
            cursor.execute(f"SHOW {name}")
            settings[name] = cursor.fetchone()[0]
    return {
        "taken_at": timezone.now().isoformat(timespec="seconds"),
        "processors": os.cpu_count(),
        "load_before": [round(figure, 2) for figure in os.getloadavg()],
        "python": platform.python_version(),
        "django": django.get_version(),
        "postgresql": settings["server_version"],
        "fsync": settings["fsync"],
        "synchronous_commit": settings["synchronous_commit"],
    }
