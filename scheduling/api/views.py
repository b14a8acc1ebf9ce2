"""Departments, rooms, doctors and weekly lines: parse, call one action or query, answer."""

from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar

from django.db.models import Model, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer
from rest_framework.viewsets import GenericViewSet

from accounts.api.callers import caller
from accounts.queries import only_facility
from common.api.etag import etag, version_read
from common.api.idempotency import idempotent
from common.api.ids import ID
from common.transactions import outermost
from scheduling import actions, queries
from scheduling.api import filters, serializers
from scheduling.models import Department, Doctor, Room, ScheduleLine

Row = TypeVar("Row", bound=Model)

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, required=True, description="The ETag that you read, or *."
)


class RowsViewSet(ListModelMixin, GenericViewSet[Row], Generic[Row]):
    """List, show, create and change the rows of one kind; each subclass names its query and its actions."""

    lookup_value_regex = ID
    new_serializer_class: ClassVar[type[Serializer[Any]]]
    rows: ClassVar[Callable[..., QuerySet[Any]]]
    one: ClassVar[Callable[..., Any]]
    make: ClassVar[Callable[..., Any]]
    change: ClassVar[Callable[..., Any]]
    key: ClassVar[str]

    def get_queryset(self) -> QuerySet[Row]:
        """What the caller may see."""
        if getattr(self, "swagger_fake_view", False):
            return type(self).queryset.none()  # type: ignore[union-attr]
        return type(self).rows(caller(self.request))

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """Another one for what is to be created."""
        return self.new_serializer_class if self.action == "create" else super().get_serializer_class()

    def retrieve(self, request: Request, pk: str) -> Response:
        """Show one."""
        return self.answer(type(self).one(pk=int(pk), by=caller(request)))

    @idempotent
    def create(self, request: Request) -> Response:
        """Create one."""
        given, by = self.given(request), caller(request)
        if "facility" in self.new_serializer_class().fields:
            given["facility_id"] = given.get("facility_id") or only_facility(by, "scheduling.edit").pk
        return self.answer(type(self).make(**given, by=by), status=201)

    @extend_schema(parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change one, as the version that was read."""
        read, changes = version_read(request), self.given(request, partial=True)
        update = type(self).change
        return self.answer(outermost(lambda: update(**{self.key: int(pk)}, **changes, read=read, by=caller(request))))

    def given(self, request: Request, *, partial: bool = False) -> dict[str, Any]:
        """What the body says, checked for its form."""
        serializer = self.get_serializer(data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def answer(self, row: Any, *, status: int = 200) -> Response:
        """A row with its version."""
        assert self.serializer_class is not None
        data = self.serializer_class(row, context=self.get_serializer_context()).data
        return Response(data, status=status, headers=etag(row.version))


def creating(given: type[Serializer[Any]], shown: type[Serializer[Any]]) -> Callable[[type[Any]], type[Any]]:
    """Describe what `create` takes and what it answers."""
    return extend_schema_view(create=extend_schema(request=given, responses={201: shown}))


@creating(serializers.NewDepartmentSerializer, serializers.DepartmentSerializer)
class DepartmentViewSet(RowsViewSet[Department]):
    """Departments of the caller's facilities."""

    queryset = Department.objects.all()
    serializer_class = serializers.DepartmentSerializer
    new_serializer_class = serializers.NewDepartmentSerializer
    filterset_class = filters.DepartmentFilter
    search_fields = ("name", "code")
    ordering_fields = ("name", "code", "id")
    rows, one = queries.departments, queries.department
    make, change, key = actions.create_department, actions.update_department, "department_id"


@creating(serializers.NewRoomSerializer, serializers.RoomSerializer)
class RoomViewSet(RowsViewSet[Room]):
    """Rooms of the caller's facilities."""

    queryset = Room.objects.all()
    serializer_class = serializers.RoomSerializer
    new_serializer_class = serializers.NewRoomSerializer
    filterset_class = filters.RoomFilter
    search_fields = ("name",)
    ordering_fields = ("name", "id")
    rows, one = queries.rooms, queries.room
    make, change, key = actions.create_room, actions.update_room, "room_id"


@creating(serializers.NewDoctorSerializer, serializers.DoctorSerializer)
class DoctorViewSet(RowsViewSet[Doctor]):
    """Doctors of the caller's facilities."""

    queryset = Doctor.objects.all()
    serializer_class = serializers.DoctorSerializer
    new_serializer_class = serializers.NewDoctorSerializer
    filterset_class = filters.DoctorFilter
    search_fields = ("name", "department__name")
    ordering_fields = ("name", "id")
    rows, one = queries.doctors, queries.doctor
    make, change, key = actions.create_doctor, actions.update_doctor, "doctor_id"


@creating(serializers.NewLineSerializer, serializers.LineSerializer)
class LineViewSet(RowsViewSet[ScheduleLine]):
    """Weekly lines of the doctors of the caller's facilities."""

    queryset = ScheduleLine.objects.all()
    serializer_class = serializers.LineSerializer
    new_serializer_class = serializers.NewLineSerializer
    filterset_class = filters.LineFilter
    search_fields = ("doctor__name", "room__name")
    ordering_fields = ("doctor", "weekday", "from_time", "id")
    rows, one = queries.lines, queries.line
    make, change, key = actions.create_line, actions.update_line, "line_id"

    @extend_schema(request=serializers.GenerateSerializer, responses=serializers.GeneratedSerializer)
    @action(detail=False, methods=["post"], filter_backends=(), pagination_class=None)
    @idempotent
    def generate(self, request: Request) -> Response:
        """Make the sessions and slots of the next days. Run again, it makes nothing twice."""
        asked, by = serializers.GenerateSerializer(data=request.data), caller(request)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        report = actions.generate_sessions(
            facility_id=wanted.get("facility") or only_facility(by, "scheduling.generate").pk,
            doctor_id=wanted.get("doctor"),
            days=wanted["days"],
            by=by,
        )
        return Response(serializers.GeneratedSerializer(report).data)
