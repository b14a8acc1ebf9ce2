"""The patient's own page: every state of a visit, what the patient may do, and what the page never says."""

import pytest
from django.test import Client

from common.transactions import outermost
from reception.tests.factories import Hall, text
from tokens import allocation, queueing
from tokens.models import Token

pytestmark = pytest.mark.django_db


def page(token: Token, **headers: str) -> str:
    return text(Client(headers=headers).get(f"/t/{token.key}"))


def test_smoke():
    hall = Hall(capacity=2)
    token = hall.give("Ravi", "online", slot=0)
    print(page(token))
    hall.arrive(token)
    print(page(token))
    outermost(lambda: queueing.call(token_id=token.pk, by=None))
    print(page(token))
