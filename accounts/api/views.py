"""Sign-in for devices: parse, call one action, answer."""

from uuid import UUID

from django.contrib.auth import logout
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import actions, queries
from accounts.api.callers import caller
from accounts.api.serializers import DeviceSerializer, MeSerializer, SignedInSerializer, SignInSerializer
from accounts.models import Device


class LoginView(APIView):
    """Sign a device in. Wrong attempts are limited by user name and address; right ones are not."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(request=SignInSerializer, responses=SignedInSerializer, auth=[])
    def post(self, request: Request) -> Response:
        """Exchange user name, password and, where the account has a second factor, its code for a token."""
        given = SignInSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        fields = given.validated_data
        fields["device"] = fields["device"] or request.headers.get("User-Agent", "")
        device, token = actions.sign_in(**fields, address=request.META.get("REMOTE_ADDR") or None)
        return Response(SignedInSerializer({"token": token, "expiry": device.expiry, "user": device.user}).data)


class LogoutView(APIView):
    """Sign this device, or this browser, out."""

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """End the session that this request belongs to."""
        if isinstance(request.auth, Device):
            actions.sign_out(device=request.auth)
        else:
            logout(request._request)
        return Response(status=204)


class LogoutAllView(APIView):
    """Sign all devices of the signed-in person out."""

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """End the sessions of all devices."""
        actions.sign_out_everywhere(user=caller(request))
        return Response(status=204)


class MeView(APIView):
    """The signed-in person."""

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """Who is signed in, and what they may do where."""
        return Response(MeSerializer(caller(request)).data)


class DeviceListView(ListAPIView[Device]):
    """The devices that the signed-in person is signed in on, newest first."""

    serializer_class = DeviceSerializer
    filter_backends = ()
    queryset = Device.objects.none()

    def get_queryset(self) -> "queries.QuerySet[Device]":
        """One's own only."""
        return queries.devices_of(caller(self.request).pk)


class DeviceView(APIView):
    """One signed-in device."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, device_id: UUID) -> Response:
        """Sign one device out, such as a lost one."""
        actions.sign_out(device=queries.device_of(caller(request).pk, device_id))
        return Response(status=204)
