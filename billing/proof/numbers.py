"""Are the numbers without gaps, each given once, and those of the counters? Is a reference one payment's?"""

from typing import Final

from django.utils.translation import gettext_noop as _

from billing.models.fields import NormalReference
from billing.proof.checks import Check

_FORM: Final = NormalReference.template % {"expressions": "p.reference"}

# Every number that was given: (its row, letter, year, serial).
_GIVEN: Final = """
    SELECT id, number, left(number, 1) AS letter, split_part(number, '-', 2)::int AS year,
           split_part(number, '-', 3)::bigint AS serial, day
    FROM (SELECT id, number, date AS day FROM billing_bill WHERE facility_id = %(facility)s AND number IS NOT NULL
          UNION ALL SELECT id, number, NULL FROM billing_receipt WHERE facility_id = %(facility)s
          UNION ALL SELECT id, number, date FROM billing_creditnote WHERE facility_id = %(facility)s
          UNION ALL SELECT id, number, date FROM billing_cashmovement WHERE facility_id = %(facility)s) AS each
"""

NUMBERS: Final = (
    Check(
        "number_gap",
        _("A number was given and is not there."),
        # EXCEPT and no join: how many numbers a counter stands for is nothing that the planner can know.
        f"""SELECT 'number', NULL::bigint, kind || '-' || year || '-'
            || lpad(serial::text, greatest(6, length(serial::text)), '0'), NULL::numeric, NULL::numeric
        FROM (SELECT c.kind::text, c.year::int, serial FROM billing_counter c
                CROSS JOIN LATERAL generate_series(1, c.last) AS wanted (serial) WHERE c.facility_id = %(facility)s
              EXCEPT SELECT letter, year, serial FROM ({_GIVEN}) AS given) AS missing""",  # noqa: S608
    ),
    Check(
        "number_beyond",
        _("A number is beyond its counter, or of another year than its date."),
        f"""SELECT 'number', given.id, given.number, c.last::numeric, given.serial::numeric
        FROM ({_GIVEN}) AS given LEFT JOIN billing_counter c
            ON (c.kind, c.year) = (given.letter, given.year) AND c.facility_id = %(facility)s
        WHERE given.serial > coalesce(c.last, 0) OR given.serial < 1
           OR extract(year FROM given.day) <> given.year""",  # noqa: S608
    ),
    Check(
        "reference_twice",
        _("An outside reference stands for two payments."),
        # Those that are marked come from before all ways of writing a reference were the same.
        f"""SELECT 'payment', max(p.id), max(p.reference), 1::numeric, count(*)::numeric FROM billing_payment p
        WHERE p.facility_id = %(facility)s AND p.reference <> '' AND p.rest_of_id IS NULL AND NOT p.reference_doubled
        GROUP BY p.method, {_FORM} HAVING count(*) > 1""",  # noqa: S608
    ),
    Check(
        "number_twice",
        _("A number was given twice."),
        f"""SELECT 'number', min(given.id), given.number, 1::numeric, count(*)::numeric FROM ({_GIVEN}) AS given
        GROUP BY given.number HAVING count(*) > 1""",  # noqa: S608
    ),
)
