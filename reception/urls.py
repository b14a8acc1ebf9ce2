"""Addresses of the desk."""

from django.urls import path

from reception.pages import board, desk, giving, overview, patient, plans, slip, stepping, token

urlpatterns = [
    path("board/<slug:slug>/", board.board_page, name="board"),
    path("board/<slug:slug>/stream/", board.stream, name="board_stream"),
    path("desk/", desk.desk, name="desk"),
    path("overview/", overview.overview, name="overview"),
    path("desk/stream/", desk.stream, name="desk_stream"),
    path("desk/find/", desk.find, name="desk_find"),
    path("desk/facility/", desk.choose_facility, name="desk_facility"),
    path("desk/patients/", giving.register, name="desk_register"),
    path("desk/tokens/", giving.give, name="desk_give"),
    path("desk/tokens/<int:token_id>/", token.token_page, name="token"),
    path("desk/tokens/<int:token_id>/stream/", token.stream, name="token_stream"),
    path("desk/tokens/<int:token_id>/slip/", slip.slip, name="token_slip"),
    path("desk/tokens/<int:token_id>/print/", slip.print_, name="token_print"),
    path("desk/tokens/<int:token_id>/<slug:verb>/", stepping.step, name="token_step"),
    path("desk/sessions/<int:session_id>/", plans.session_page, name="session"),
    path("desk/sessions/<int:session_id>/call-next/", stepping.call_next, name="session_call_next"),
    path("t/<str:key>/here/", patient.here, name="patient_here"),
    path("t/<str:key>/cancel/", patient.cancel, name="patient_cancel"),
    path("t/<str:key>/stream/", patient.stream, name="patient_stream"),
    path("t/<str:key>", patient.patient, name="patient"),
    path("t/<str:key>/", patient.patient),
    path("t/<path:key>", patient.patient),
]
