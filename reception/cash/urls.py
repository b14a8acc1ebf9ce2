"""Addresses of the cash desk."""

from django.urls import path

from reception.cash import deeds, pages, printing, vouchers

urlpatterns = [
    path("", pages.cash, name="cash"),
    path("stream/", pages.stream, name="cash_stream"),
    path("find/", pages.find, name="cash_find"),
    path("bills/", deeds.new_bill, name="cash_new_bill"),
    path("bills/look/", deeds.look, name="cash_look"),
    path("bills/issue/", deeds.issue, name="cash_issue"),
    path("bills/void/", deeds.void, name="cash_void"),
    path("bills/credit/", deeds.credit, name="cash_credit"),
    path("bills/give-back/", deeds.give_back, name="cash_back"),
    path("bills/<int:bill_id>/take/", deeds.take, name="cash_take"),
    path("bills/<int:bill_id>/paper/", printing.bill, name="cash_bill_paper"),
    path("bills/<int:bill_id>/pdf/", printing.bill_pdf, name="cash_bill_pdf"),
    path("payments/refund/", deeds.refund, name="cash_refund"),
    path("priority/", deeds.priority, name="cash_priority"),
    path("account/", deeds.advance, name="cash_advance"),
    path("account/back/", deeds.advance_back, name="cash_advance_back"),
    path("receipts/<int:receipt_id>/", printing.receipt, name="cash_receipt"),
    path("receipts/<int:receipt_id>/pdf/", printing.receipt_pdf, name="cash_receipt_pdf"),
    path("receipts/<int:receipt_id>/print/", printing.receipt_print, name="cash_receipt_print"),
    path("shifts/", deeds.open_shift, name="cash_open_shift"),
    path("shifts/move/", deeds.move_cash, name="cash_move"),
    path("moves/<int:movement_id>/", vouchers.voucher, name="cash_voucher"),
    path("moves/<int:movement_id>/print/", vouchers.voucher_print, name="cash_voucher_print"),
    path("shifts/close/", deeds.close_shift, name="cash_close_shift"),
    path("shifts/<int:shift_id>/report/", printing.report, name="cash_report"),
    path("shifts/<int:shift_id>/pdf/", printing.report_pdf, name="cash_report_pdf"),
]
