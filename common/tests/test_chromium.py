"""Which browser the tests of pages take."""

import pytest

from common.testing.chromium import chromium


def test_the_one_that_was_named_is_taken(monkeypatch, tmp_path):
    named = tmp_path / "another"
    named.write_text("")
    named.chmod(0o700)
    monkeypatch.setenv("OPD_BROWSER", str(named))
    assert chromium() == str(named)


def test_one_that_is_not_there_is_no_reason_to_leave_the_tests_away(monkeypatch):
    monkeypatch.setenv("OPD_BROWSER", "no-such-browser")
    with pytest.raises(FileNotFoundError, match="no-such-browser"):
        chromium()
