"""Workflows of the desk that cross apps, and what the desk itself writes. The caller has opened the transaction."""

from typing import Final

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from billing.queries.accounts import family
from patients.actions import mark_merged
from patients.models import Patient
from reception.errors import NeverTold, NothingToTell
from reception.models import PatientTold, SlipPrint
from reception.money.visits import join as join_visits
from reception.queries import get_token
from reception.to_tell import to_tell
from tokens import allocation, live
from tokens.models import Token
from tokens.states import ACTIVE

TELL: Final = "reception.tell"


@transaction.atomic(savepoint=False)
def merge_patients(*, patient_id: int, into_id: int, by: User) -> Patient:
    """Two records are one person: the active tokens of the first go to the second, which goes on alone.

    Two visits of one day become one. Nothing of their money moves by itself; what was charged twice by it is said
    (`money.queries.charged_twice`). The records are locked first, then the sessions in the order of their start.

    Raises:
        NotFound: 404, one of the two is not there or of another facility.
        PatientMerged, CannotMerge: 409.
        DuplicateToken: 409, both hold an active token in one session; cancel one of them first.
    """
    patient = mark_merged(patient_id=patient_id, into_id=into_id, by=by)
    tokens = Token.objects.filter(patient_id=patient_id, status__in=ACTIVE)
    for token_id in tokens.order_by("session__starts_at", "session_id").values_list("id", flat=True):
        allocation.change_patient(token_id=token_id, patient_id=into_id, reason=f"{patient.number} merged", by=by)
    # After the sessions of its tokens are locked: who arrives in one of them has opened the visit by then, or waits.
    join_visits(family(into_id).values_list("pk", flat=True))
    return patient


@transaction.atomic(savepoint=False)
def print_slip(*, token_id: int, by: User) -> SlipPrint:
    """A slip goes to the printer: the first is the slip, those after it are copies with the same number.

    Raises:
        NotFound, PermissionDenied
    """
    token = get_token(token_id=token_id, by=by)
    # The token's row orders two desks that print at once.
    Token.objects.select_for_update(no_key=True).get(pk=token.pk)
    printed = SlipPrint.objects.filter(token=token).count()
    return SlipPrint.objects.create(token=token, copy=printed, at=timezone.now(), by=by)


@transaction.atomic(savepoint=False)
def tell(*, token_id: int, seq: int, about: PatientTold.About = PatientTold.About.CHANGE, by: User) -> PatientTold:
    """A patient was told of the place that the token's event `seq` gave. Said twice, also by two desks, it is once.

    Args:
        about: the place is another one, or the patient is expected there and not here.

    Raises:
        NotFound, PermissionDenied
        NothingToTell: 409, the token has changed since, or nothing of it was to be told.
    """
    token = get_token(token_id=token_id, by=by, code=TELL)
    Token.objects.select_for_update(no_key=True).get(pk=token.pk)
    known = PatientTold.objects.filter(token=token, seq=seq, about=about, undone_at=None).select_related("by").first()
    if known:
        return known
    if not any((each.seq, each.about) == (seq, about) for each in to_tell(token.session.facility, token_id=token.pk)):
        raise NothingToTell(number=token.number)
    live.announce(token.session.facility_id, (token.session_id,))
    return PatientTold.objects.create(token=token, seq=seq, about=about, at=timezone.now(), by=by)


@transaction.atomic(savepoint=False)
def untell(*, told_id: int, by: User) -> PatientTold:
    """The patient was not told after all. Twice is once.

    Raises:
        NotFound, PermissionDenied
    """
    told = PatientTold.objects.filter(pk=told_id).first()
    if told is None:
        raise NeverTold
    token = get_token(token_id=told.token_id, by=by, code=TELL)
    PatientTold.objects.filter(pk=told_id, undone_at=None).update(undone_at=timezone.now(), undone_by=by)
    live.announce(token.session.facility_id, (token.session_id,))
    told.refresh_from_db()
    return told
