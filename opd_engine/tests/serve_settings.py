"""The tests' settings for a server process: two more addresses, and the test's own database."""

from opd_engine.settings_test import *  # noqa: F403

ROOT_URLCONF = "opd_engine.tests.serve_urls"
