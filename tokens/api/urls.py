"""Addresses of tokens, slots, sessions and the grid, under ``/api/v1/``."""

from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from common.api.ids import ID
from tokens.api.board import BoardView, StatusView
from tokens.api.sessions import PlanViewSet, SessionViewSet
from tokens.api.simulations import ReplayView, SimulationView
from tokens.api.slots import SlotViewSet
from tokens.api.stream import StreamView
from tokens.api.tokens import TokenViewSet

router = SimpleRouter()
router.register("tokens", TokenViewSet, basename="token")
router.register("slots", SlotViewSet, basename="slot")
router.register("sessions", SessionViewSet, basename="session")
router.register("plans", PlanViewSet, basename="plan")

urlpatterns = [
    re_path(r"^tokens/status/(?P<key>[A-Za-z0-9_-]{1,32})/$", StatusView.as_view(), name="token-status"),
    re_path(rf"^sessions/(?P<pk>{ID})/stream/$", StreamView.as_view(), name="session-stream"),
    path("simulations/", SimulationView.as_view(), name="simulations"),
    path("simulations/replay/", ReplayView.as_view(), name="simulations-replay"),
    path("board/", BoardView.as_view(), name="board"),
    *router.urls,
]
