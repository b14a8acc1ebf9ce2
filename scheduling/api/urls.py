"""Addresses of schedules under /api/v1/."""

from rest_framework.routers import SimpleRouter

from scheduling.api import views

router = SimpleRouter()
router.register("departments", views.DepartmentViewSet)
router.register("rooms", views.RoomViewSet)
router.register("doctors", views.DoctorViewSet)
router.register("schedule-lines", views.LineViewSet)

urlpatterns = router.urls
