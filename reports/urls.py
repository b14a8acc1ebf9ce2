"""Addresses of the reports."""

from django.urls import path

from reports import pages

urlpatterns = [
    path("reports/", pages.reports, name="reports"),
    path("reports/all.zip", pages.everything, name="reports_all"),
    path("reports/<slug:key>.csv", pages.figure, name="reports_figure"),
]
