"""Addresses of the console."""

from django.urls import path

from consultations.pages import console, stepping

urlpatterns = [
    path("console/", console.console, name="console"),
    path("console/stream/", console.stream, name="console_stream"),
    path("console/<int:session_id>/<slug:verb>/", stepping.step, name="console_step"),
]
