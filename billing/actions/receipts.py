"""Printing receipts: the first is the receipt, every other a marked copy. The caller opens the transaction."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from accounts.models import User
from accounts.permissions import reach
from billing.models import Receipt, ReceiptPrint
from common.errors import NotFound


@transaction.atomic(savepoint=False)
def print_receipt(*, receipt_id: int, by: User) -> ReceiptPrint:
    """Note that a receipt or voucher leaves the printer, always with the number it has.

    Args:
        by: who prints it, with `billing.view`.

    Returns:
        Which print it is (`copy`): 0 for the receipt itself, then 1, 2 ... for its copies.

    Raises:
        NotFound, OutOfReach: 404.
        PermissionDenied: 403.
    """
    rows = Receipt.objects.select_for_update(of=("self",), no_key=True)
    receipt = rows.filter(pk=receipt_id).first()
    if receipt is None:
        raise NotFound(_("There is no such receipt here."))
    reach(by, "billing.view", receipt)
    copy = ReceiptPrint.objects.filter(receipt=receipt).count()
    return ReceiptPrint.objects.create(receipt=receipt, copy=copy, at=timezone.now(), by=by)
