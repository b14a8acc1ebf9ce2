"""Addresses of the desk."""

from django.urls import path

from reception.pages import board, desk, giving, plans, stepping, token

urlpatterns = [
    path("board/<slug:slug>/", board.board_page, name="board"),
    path("board/<slug:slug>/stream/", board.stream, name="board_stream"),
    path("desk/", desk.desk, name="desk"),
    path("desk/live/", desk.live, name="desk_live"),
    path("desk/find/", desk.find, name="desk_find"),
    path("desk/facility/", desk.choose_facility, name="desk_facility"),
    path("desk/patients/", giving.register, name="desk_register"),
    path("desk/tokens/", giving.give, name="desk_give"),
    path("desk/tokens/<int:token_id>/", token.token_page, name="token"),
    path("desk/tokens/<int:token_id>/slip/", token.slip, name="token_slip"),
    path("desk/tokens/<int:token_id>/print/", token.print_, name="token_print"),
    path("desk/tokens/<int:token_id>/<slug:verb>/", stepping.step, name="token_step"),
    path("desk/sessions/<int:session_id>/", plans.session_page, name="session"),
    path("desk/sessions/<int:session_id>/call-next/", stepping.call_next, name="session_call_next"),
]
