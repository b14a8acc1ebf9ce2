"""Sign-in, devices and the signed-in person, as clients see them."""

from typing import Any

from rest_framework import serializers

from accounts.models import Device, User
from accounts.permissions import effective


class SignInSerializer(serializers.Serializer[Any]):
    """What a device sends to sign in."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=4096, trim_whitespace=False)
    code = serializers.CharField(max_length=32, default="", allow_blank=True, help_text="Of the second factor.")
    device = serializers.CharField(max_length=120, default="", allow_blank=True, help_text="A name to know it by.")


class PermissionsSerializer(serializers.Serializer[Any]):
    """Permission codes, held everywhere and by facility id."""

    everywhere = serializers.ListField(child=serializers.CharField())
    facilities = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))


class MeSerializer(serializers.ModelSerializer[User]):
    """The signed-in person, and what they may do."""

    name = serializers.CharField(source="get_full_name", read_only=True)
    permissions = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = ("id", "username", "name", "permissions")
        read_only_fields = fields

    def get_permissions(self, user: User) -> PermissionsSerializer:
        """Codes by facility: enough to show only what works."""
        return effective(user)  # type: ignore[return-value]


class SignedInSerializer(serializers.Serializer[Any]):
    """What a device gets when it has signed in. The token is shown this once."""

    token = serializers.CharField()
    expiry = serializers.DateTimeField(allow_null=True)
    user = MeSerializer()


class DeviceSerializer(serializers.ModelSerializer[Device]):
    """A signed-in device, without its secret."""

    current = serializers.SerializerMethodField()

    class Meta:
        model = Device
        fields = ("id", "name", "address", "created", "expiry", "current")
        read_only_fields = fields

    def get_current(self, device: Device) -> bool:
        """Whether this very request came from it."""
        return getattr(self.context["request"].auth, "pk", None) == device.pk
