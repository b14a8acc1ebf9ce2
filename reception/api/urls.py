"""Addresses of the desk's calls, under ``/api/v1/``."""

from rest_framework.routers import SimpleRouter

from reception.api.views import PatientVisitsViewSet

router = SimpleRouter()
router.register("patients", PatientVisitsViewSet, basename="patient-visits")

urlpatterns = router.urls
