"""Two records become one while money moves: it is spent once, and nobody waits for anybody who waits for them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from billing import actions
from billing.errors import AdvanceTooSmall
from billing.models import Payment
from billing.queries import advance_balance
from billing.rules import LineIn
from billing.tenders import Tender
from common.testing.races import race
from common.transactions import outermost
from patients.actions import mark_merged, update_patient
from patients.models import Patient
from reception.actions import merge_patients
from reception.tests.money import Till

pytestmark = pytest.mark.django_db(transaction=True)

FIFTY = Decimal(50)
LOCKED = '"billing_patientaccount"."patient_id" ASC FOR NO KEY UPDATE'
COUNTED = 'SUM("billing_ledgerentry"."amount")'


def elsewhere(work: Callable[[], Any]) -> Any:
    """Done in another connection before anything goes on here."""
    outcomes = race([work])
    assert outcomes.raised == []
    return outcomes.values[0]


@contextmanager
def meanwhile(*steps: tuple[str, Callable[[], Any]]) -> Iterator[None]:
    """Let somebody else do something right after a statement here: (what it says, what is done), in this order.

    What comes after a statement that is not sent is done at the end.
    """
    left = list(steps)

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if left and left[0][0] in sql:
            elsewhere(left.pop(0)[1])
        return answer

    with connection.execute_wrapper(watch):
        yield
    for _, step in left:
        elsewhere(step)


def test_money_of_a_record_that_is_merged_at_this_moment_is_not_spent_twice() -> None:
    till = Till()
    till.open_shift()
    asha, farah = till.user("reception"), till.user("billing-staff")
    rich, poor = till.patient("Ravi"), till.patient("Ravi K")
    where = {"facility_id": till.facility.pk}
    cash = [Tender("cash", FIFTY)]
    outermost(lambda: actions.take_advance(**where, patient_id=rich.pk, tenders=cash, by=till.meena))
    lines = [LineIn("Dressing", FIFTY)]
    bills = [
        outermost(lambda one=one: actions.create_bill(**where, patient_id=one.pk, lines=lines, by=None)).pk
        for one in (rich, poor)
    ]
    tender = [Tender("account", FIFTY)]

    def merge() -> None:
        outermost(lambda: merge_patients(patient_id=rich.pk, into_id=poor.pk, by=asha))

    def spend() -> None:
        outermost(lambda: actions.pay(bill_id=bills[0], tenders=tender, by=farah))

    # Who pays for the poor record found no account to lock. The money of the other one is the patient's now, but
    # whoever spends that finds its account free.
    steps = (LOCKED, merge), (COUNTED, spend)
    with meanwhile(*steps), pytest.raises(AdvanceTooSmall):
        outermost(lambda: actions.pay(bill_id=bills[1], tenders=tender, by=till.meena))
    assert advance_balance(till.facility.pk, poor.pk) == 0
    till.balanced()


def test_what_is_paid_out_comes_of_payments_whose_account_is_locked() -> None:
    till = Till()
    till.open_shift()
    asha, where = till.user("reception"), {"facility_id": till.facility.pk}
    own, other = till.patient("Ravi"), till.patient("Ravi K")
    for reference, patient in (("own", own), ("other", other)):
        tender = [Tender("upi", FIFTY, reference)]
        outermost(
            lambda to=patient, by=tender: actions.take_advance(**where, patient_id=to.pk, tenders=by, by=till.meena)
        )
    back: dict[str, Any] = {**where, "patient_id": own.pk, "amount": FIFTY, "reason": "Moves away", "by": till.meena}

    def merge() -> None:
        outermost(lambda: merge_patients(patient_id=other.pk, into_id=own.pk, by=asha))

    with meanwhile((COUNTED, merge)):
        outermost(lambda: actions.refund_advance(**back))
    given = Payment.objects.order_by("pk").values_list("reference", "refunded")
    assert dict(given) == {"own": 50, "other": 0}
    outermost(lambda: actions.refund_advance(**back))
    assert dict(given.all()) == {"own": 50, "other": 50}
    till.balanced()


@pytest.mark.parametrize("changed", ["merged", "edited"])
def test_who_writes_a_record_keeps_nobody_from_referring_to_it(changed: str) -> None:
    till = Till()
    ravi, double = till.patient("Ravi"), till.patient("Ravi K")

    def refer() -> None:
        with connection.cursor() as cursor:  # what a foreign key asks for, at the commit of a payment
            cursor.execute(
                "SELECT FROM patients_patient WHERE id = ANY(%s) FOR KEY SHARE NOWAIT", [[ravi.pk, double.pk]]
            )

    def write() -> None:
        if changed == "merged":
            mark_merged(patient_id=double.pk, into_id=ravi.pk, by=None)
        else:
            update_patient(patient_id=double.pk, by=None, read=None, address="2 Temple Road")
        elsewhere(refer)

    outermost(write)
    kept = Patient.objects.get(pk=double.pk)
    assert (kept.merged_into, kept.address) == ((ravi, "") if changed == "merged" else (None, "2 Temple Road"))
