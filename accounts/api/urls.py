"""Addresses of sign-in, under ``/api/v1/``."""

from django.urls import path

from accounts.api import views

urlpatterns = [
    path("auth/login/", views.LoginView.as_view(), name="auth-login"),
    path("auth/logout/", views.LogoutView.as_view(), name="auth-logout"),
    path("auth/logoutall/", views.LogoutAllView.as_view(), name="auth-logoutall"),
    path("auth/me/", views.MeView.as_view(), name="auth-me"),
    path("auth/devices/", views.DeviceListView.as_view(), name="auth-devices"),
    path("auth/devices/<uuid:device_id>/", views.DeviceView.as_view(), name="auth-device"),
]
