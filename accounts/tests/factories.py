"""The people and places that tests are about: Sunrise Hospital, Asha at the desk, Dr Rao, Meena at the cash desk."""

from typing import Any

import factory
from factory.django import DjangoModelFactory
from rest_framework.test import APIClient

from accounts.actions import give_role
from accounts.models import Device, Facility, Role, User

PASSWORD = "opd-demo"


class FacilityFactory(DjangoModelFactory[Facility]):
    """A hospital in India."""

    class Meta:
        model = Facility
        django_get_or_create = ("slug",)

    name = "Sunrise Hospital"
    slug = factory.LazyAttribute(lambda one: one.name.lower().replace(" ", "-"))


class UserFactory(DjangoModelFactory[User]):
    """``UserFactory(roles=["reception"], facility=sunrise)``; without a facility the roles hold everywhere."""

    class Meta:
        model = User
        django_get_or_create = ("username",)
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"person{n}")
    name = factory.LazyAttribute(lambda one: one.username.title())

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        roles = kwargs.pop("roles", ())
        facility = kwargs.pop("facility", None)
        kwargs.setdefault("password", _hashed())
        user: User = super()._create(model_class, *args, **kwargs)
        for role in roles:
            give_role(user=user, role=role, facility=facility)
        return user


class RoleFactory(DjangoModelFactory[Role]):
    """A role that a hospital made for itself."""

    class Meta:
        model = Role

    name = factory.Sequence(lambda n: f"Role {n}")
    slug = factory.Sequence(lambda n: f"role-{n}")


_hash = ""


def _hashed() -> str:
    """``PASSWORD``, hashed once for all tests: hashing is slow on purpose."""
    global _hash
    if not _hash:
        probe = User()
        probe.set_password(PASSWORD)
        _hash = probe.password
    return _hash


def asha(facility: Facility | None = None) -> User:
    """The receptionist of Sunrise Hospital."""
    return UserFactory(username="asha", name="Asha", roles=["reception"], facility=facility or FacilityFactory())


def rao(facility: Facility | None = None) -> User:
    """Dr Rao, who sees patients there."""
    return UserFactory(username="rao", name="Dr Rao", roles=["doctor"], facility=facility or FacilityFactory())


def meena(facility: Facility | None = None) -> User:
    """Meena, at the cash desk."""
    return UserFactory(username="meena", name="Meena", roles=["billing-staff"], facility=facility or FacilityFactory())


def device_client(user: User) -> APIClient:
    """A client that is signed in as a device of this person, through the real header."""
    _, token = Device.objects.create(user=user)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client
