"""Tests in a real browser run where the system has one."""

from reception.tests.browsing import chromium

collect_ignore = [] if chromium() else ["test_in_browser.py"]
