"""Who asks, for views that only the signed-in can reach."""

from django.http import HttpRequest
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from accounts.models import User


def caller(request: Request | HttpRequest) -> User:
    """The signed-in person.

    Raises:
        NotAuthenticated: 401, nobody has signed in.
    """
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user
