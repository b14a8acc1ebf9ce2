"""Estimates that patients were shown: kept, to be compared with what happened."""

from datetime import datetime

from tokens.waits.estimate import Wait


def given(
    token_id: int, wait: Wait | None, *, where: str, ahead: int | None = None, at: datetime | None = None
) -> None:
    """Remember that a patient was shown an estimate; returns at once.

    Args:
        where: "page", "slip", "kiosk" or "api".
        ahead: how many stood before the token.
    """
