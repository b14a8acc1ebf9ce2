"""The site map."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import TemplateView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from opd_engine import health
from opd_engine.sign_in import home

api: list[URLPattern | URLResolver] = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("", include("accounts.api.urls")),
    path("", include("scheduling.api.urls")),
    path("", include("patients.api.urls")),
    path("", include("tokens.api.urls")),
    path("", include("reception.api.urls")),
    path("", include("billing.api.urls")),
]

handler400 = "common.pages.bad_request"
handler403 = "common.pages.permission_denied"
handler404 = "common.pages.not_found"
handler500 = "common.pages.server_error"

urlpatterns = [
    path("", home),
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("api/v1/", include(api)),
    path("", include("reception.urls")),
    path("", include("consultations.urls")),
    path("", include("reports.urls")),
    # Nobody gets a new password by mail: there is none.
    path("accounts/password/reset/", TemplateView.as_view(template_name="account/password_reset.html")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
