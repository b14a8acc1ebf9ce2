#!/usr/bin/env python
"""Django's command line. ``make run`` is the short way; ``manage.py help`` lists everything else."""

import os
import sys


def main() -> None:
    """Run the command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opd_engine.settings")
    try:
        from django.conf import settings
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line

        from opd_engine.embedded import EmbeddedError
    except ImportError:
        sys.exit("Django is not installed in this Python. `make run` makes the environment in .venv.")
    try:
        _ = settings.DEBUG  # reads them all
    except ImproperlyConfigured as refusal:
        sys.exit(str(refusal))
    try:
        execute_from_command_line(sys.argv)
    except EmbeddedError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Stopped.")


if __name__ == "__main__":
    main()
