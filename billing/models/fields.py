"""What all amounts have in common."""

from typing import Any, Final

import pgtrigger
from django.db import models

from billing.references import BLANKS, LARGE, SMALL


def money(**options: Any) -> models.DecimalField:
    """An amount in the facility's currency, with two decimals; never a float."""
    return models.DecimalField(max_digits=14, decimal_places=2, **options)


_SMALL_AND_BLANK: Final = "E'" + SMALL + "".join(f"\\u{ord(each):04x}" for each in BLANKS) + "'"


class NormalReference(models.Func):
    """An outside reference as it is compared: `billing.references.normal`, in the database.

    What has no counterpart among the large letters is left out. An index is built by it: where the lists change, a
    migration builds that index anew.
    """

    template = f"translate(%(expressions)s, {_SMALL_AND_BLANK}, '{LARGE}')"
    output_field = models.TextField()


_OF_ONE_FACILITY = """
IF (SELECT count(DISTINCT facility_id) FROM (REFERRED) AS referred (facility_id)) > 1 THEN
    RAISE EXCEPTION '% ties things of two facilities together', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END IF;
RETURN NEW;
"""

_TABLES = {"patient": "patients_patient", "department": "scheduling_department", "doctor": "scheduling_doctor"}


def of_one_facility(*references: str, own: bool = True, changes: bool = False) -> pgtrigger.Trigger:
    """Refuse a row that ties things of two facilities together.

    Args:
        *references: fields that lead to a table with a `facility`; those that are empty are not looked at. The table
            is that of the same name, or the one after a colon: "rest_of:payment".
        own: the row has a `facility` itself, which must be theirs.
        changes: the row may be changed later, and is looked at again then.
    """
    pairs = [(name, table or name) for name, _, table in (each.partition(":") for each in references)]
    columns = [f"{name}_id" for name, _ in pairs] + (["facility_id"] if own else [])
    parts = [
        f"SELECT facility_id FROM {_TABLES.get(table, f'billing_{table}')} WHERE id = NEW.{name}_id"  # noqa: S608
        for name, table in pairs
    ]
    return pgtrigger.Trigger(
        name="of_one_facility",
        operation=pgtrigger.Insert | pgtrigger.UpdateOf(*columns) if changes else pgtrigger.Insert,
        when=pgtrigger.Before,
        func=_OF_ONE_FACILITY.replace(
            "REFERRED", " UNION ALL ".join(parts + (["SELECT NEW.facility_id"] if own else []))
        ),
    )


def append_only() -> pgtrigger.Trigger:
    """Rows are added and stay as they are."""
    return pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)


def never_deleted() -> pgtrigger.Trigger:
    """Rows stay, though some of their values may change."""
    return pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)
