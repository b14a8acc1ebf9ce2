"""The shift from the float to the count, its X and Z reports, and what is printed."""

import re
import zlib
from decimal import Decimal

import pytest

from billing import actions
from billing.models import ReceiptPrint, Shift
from common.transactions import outermost
from reception.tests.cashing import CashDesk
from reception.tests.factories import text

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk() -> CashDesk:
    return CashDesk()


# The shift


def test_a_cashier_has_one_shift_and_a_drawer_one_cashier(desk: CashDesk) -> None:
    farah = desk.browser_of(desk.another())
    desk.send("/cash/shifts/", float="500", drawer=desk.drawers[0].pk)
    again = desk.send("/cash/shifts/", float="500", drawer=desk.drawers[1].pk)
    assert again.status_code == 409
    taken = desk.send("/cash/shifts/", farah, float="500", drawer=desk.drawers[0].pk)
    assert taken.status_code == 409
    assert "in use by Meena Pillai" in text(taken)
    assert "Drawer 2" in text(farah.get("/cash/?do=open"))
    assert desk.send("/cash/shifts/", float="none", drawer=desk.drawers[1].pk).status_code == 400


def test_a_count_that_is_short_needs_a_reason_and_then_closes_for_ever(desk: CashDesk) -> None:
    shift = desk.open()
    desk.pay(desk.owe("Sunita", "650"), "650")
    form = text(desk.meena.get("/cash/?do=close"))
    assert "Cash expected ₹1,650.00" in form
    counts = {"n_500": "3", "n_100": "1", "n_20": "2"}
    refused = desk.send("/cash/shifts/close/", shift=shift.pk, **counts)
    assert refused.status_code == 400
    assert 'name="n_100"' in refused.content.decode()
    assert re.search(r'name="n_20"[^>]*value="2"', refused.content.decode())
    answer = desk.send("/cash/shifts/close/", shift=shift.pk, **counts, reason="Miscounted change")
    assert answer["Location"] == f"/cash/shifts/{shift.pk}/report/"
    report = text(desk.meena.get(answer["Location"]))
    for words in ("Z report", "Counted ₹1,640.00", "Difference −10.00", "Miscounted change", "3 × 500 1,500.00"):
        assert words in report
    assert desk.send("/cash/shifts/close/", shift=shift.pk, n_500="1").status_code == 409
    assert "No shift is open" in text(desk.meena.get("/cash/"))


def test_the_drawer_is_handed_over_with_a_float(desk: CashDesk) -> None:
    shift, farah = desk.open(), desk.another()
    assert "Farah Khan" in text(desk.meena.get("/cash/?do=close"))
    desk.send("/cash/shifts/close/", shift=shift.pk, n_500="2", hand_to=farah.pk, hand_float="600")
    after = Shift.objects.get(after=shift)
    assert (after.cashier, after.drawer, after.float_amount) == (farah, shift.drawer, Decimal(600))
    assert "Shift 2, Drawer 1 Farah Khan" in text(desk.browser_of(farah).get("/cash/"))


def test_counts_that_are_none_are_asked_again(desk: CashDesk) -> None:
    shift = desk.open()
    for sent in ({"n_500": "two"}, {"n_500": "-1"}, {"n_500": "١"}, {}):
        assert desk.send("/cash/shifts/close/", shift=shift.pk, **sent).status_code == 400
    assert Shift.objects.get().closed_at is None


def test_an_x_report_tells_the_figures_of_now_and_closes_nothing(desk: CashDesk) -> None:
    shift = desk.open()
    desk.pay(desk.owe("Sunita", "650"), "650")
    desk.pay(desk.owe("Abdul", "300"), "300", "upi", reference="U-1")
    report = text(desk.meena.get(f"/cash/shifts/{shift.pk}/report/"))
    for words in ("X report", "Taken ₹950.00", "Cash (1) 650.00", "UPI (1) 300.00", "Cash expected ₹1,650.00"):
        assert words in report
    shift.refresh_from_db()
    assert shift.closed_at is None
    assert desk.browser_of(desk.another()).get(f"/cash/shifts/{shift.pk}/report/").status_code == 403


# Papers


def test_a_receipt_is_printed_once_and_every_other_print_is_a_numbered_copy(desk: CashDesk) -> None:
    desk.open()
    receipt = desk.pay(desk.owe("Sunita Deshpande", "650"), "650")
    address = f"/cash/receipts/{receipt.pk}/"
    assert "Not printed yet." in text(desk.meena.get(address))
    first = desk.send(f"{address}print/")
    page = desk.meena.get(first["Location"])
    assert "data-print" in page.content.decode().partition("<body")[2].partition(">")[0]
    assert "Copy 1" not in text(page)
    copies = [desk.send(f"{address}print/")["Location"] for _ in range(2)]
    assert "Copy 1, printed" in text(desk.meena.get(copies[0]))
    assert "Copy 2, printed" in text(desk.meena.get(copies[1]))
    assert "Copy 1" not in text(desk.meena.get(first["Location"]))
    assert list(ReceiptPrint.objects.values_list("copy", flat=True)) == [0, 1, 2]


def test_a_receipt_says_what_a_patient_asks_about(desk: CashDesk) -> None:
    desk.open()
    bill = desk.owe("Sunita Deshpande", "500", "150")
    desk.pay(bill, "200", "upi", reference="U-1")
    sent = {"method": "cash", "received": "1000"}
    number = desk.send(f"/cash/bills/{bill.pk}/take/", **sent)["Location"].partition("receipt=")[2].partition("&")[0]
    paper = text(desk.meena.get(f"/cash/receipts/{number}/"))
    for words in (
        desk.facility.name,
        "12 Temple Road, Bengaluru",
        "GSTIN 29AAAAA0000A1Z5",
        f"Bill {bill.number}",
        "Consultation, Dr Rao 500.00 Hospital fee 150.00 Total ₹650.00",
        "Paid before, UPI 200.00",
        "Cash 1,000.00 Change 550.00 Still due 0.00",
        "Thank you. Keep this for a refund.",
    ):
        assert words in paper


def test_what_a_receipt_says_after_a_refund_and_a_credit_note_adds_up(desk: CashDesk) -> None:
    desk.open()
    bill = desk.owe("Sunita Deshpande", "500", "150")
    first = desk.pay(bill, "200", "upi", reference="U-1")
    wish = {"payment_id": first.payments.get().pk, "amount": Decimal(80), "reason": "Twice", "by": desk.cashier}
    outermost(lambda: actions.refund_payment(**wish))
    desk.credit(bill, "50")
    told = "Total ₹650.00 Credited: Cancelled in time −50.00 Paid before, UPI 200.00 Given back, UPI −80.00"
    drawer = text(desk.meena.get(f"/cash/?bill={bill.pk}"))
    assert told in drawer.partition("Receipt, as it will print")[2]
    last = desk.pay(bill, "480")
    desk.credit(bill, "10")
    paper = text(desk.meena.get(f"/cash/receipts/{last.pk}/"))
    assert f"{told} Cash 480.00 Still due 0.00" in paper
    # What came later stands on later papers.
    assert "Total ₹650.00 UPI U-1 200.00 Still due 450.00" in text(desk.meena.get(f"/cash/receipts/{first.pk}/"))


MEDIA_BOX = re.compile(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]")
STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)


def sizes(desk: CashDesk, address: str) -> list[tuple[float, float]]:
    """The pages of a PDF: width and height in mm."""
    answer = desk.meena.get(address)
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    told = b"".join([answer.content, *map(unpacked, STREAM.findall(answer.content))])
    return [(float(w) / 72 * 25.4, float(h) / 72 * 25.4) for w, h in MEDIA_BOX.findall(told)]


def unpacked(stream: bytes) -> bytes:
    """What a stream of a PDF holds, where it is packed as most are."""
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


def test_papers_are_pdf_too_and_a_roll_ends_where_its_text_does(desk: CashDesk) -> None:
    shift = desk.open()
    bill = desk.owe("Sunita Deshpande", "650")
    receipt = desk.pay(bill, "650")
    for address in (f"/cash/receipts/{receipt.pk}/pdf/", f"/cash/shifts/{shift.pk}/pdf/"):
        [(width, height)] = sizes(desk, address)
        assert round(width) == 80
        assert 60 < height < 220
    for address in (f"/cash/receipts/{receipt.pk}/pdf/?size=a4", f"/cash/bills/{bill.pk}/pdf/"):
        assert [tuple(map(round, page)) for page in sizes(desk, address)] == [(210, 297)]
