"""What a check is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One statement that gives a row for everything that does not agree.

    Attributes:
        code: stable; documented in docs/billing.md.
        says: what is wrong where there is a row, for people; marked for translation.
        sql: gives (kind, id, about, expected, found), with `%(facility)s` for the facility. Amounts, or NULL.
    """

    code: str
    says: str
    sql: str
