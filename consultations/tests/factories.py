"""Dr Rao at his console, on the real clock, for the pages act now.

::

    surgery = Surgery()
    ravi = surgery.give("Ravi")
    page = surgery.press("call-next")
"""

import re
import uuid
from datetime import timedelta
from typing import Any

from django.test import Client

from accounts.models import User
from common.transactions import outermost
from reception.tests.factories import Hall, text
from scheduling.models import Session
from tokens import queueing
from tokens.models import Event, Token

FETCHED = {"HX-Request": "true"}


class Surgery(Hall):
    """A hall whose Dr Rao has an account, and who looks at his console."""

    def __init__(self, **wishes: Any) -> None:
        super().__init__(**{"capacity": 6, **wishes})
        self.doctor_user = self.user("doctor", name="Dr Rao")
        self.rao.user = self.doctor_user
        self.rao.save(update_fields=["user"])
        self.browser = self.signed_in(self.doctor_user)

    def signed_in(self, user: User) -> Client:
        """A browser of somebody."""
        client = Client()
        client.force_login(user)
        return client

    def open(self, address: str = "/console/", by: Client | None = None) -> str:
        """What the console says."""
        response = (by or self.browser).get(address)
        assert response.status_code == 200, response.status_code
        return text(response)

    def press(
        self, verb: str, token: Token | str | None = None, *, by: Client | None = None, key: str = "", **sent: Any
    ) -> Any:
        """Press a button without scripts; the page that follows is shown."""
        return self.send(verb, token, by=by, key=key, follow=True, **sent)

    def send(
        self,
        verb: str,
        token: Token | str | None = None,
        *,
        by: Client | None = None,
        key: str = "",
        session: Session | None = None,
        **sent: Any,
    ) -> Any:
        """The same with what the test client takes, such as `headers`."""
        wishes = {name: sent.pop(name) for name in ("headers", "follow") if name in sent}
        data = {"idempotency_key": key or uuid.uuid4().hex, **sent}
        if token is not None:
            data["token"] = token if isinstance(token, str) else token.pk
        address = f"/console/{(session or self.session).pk}/{verb}/"
        return (by or self.browser).post(address, data, **wishes)

    def button(self, verb: str, page: Any = None) -> dict[str, str]:
        """The hidden fields of a button as the page has them: what a browser sends."""
        html = (page or self.browser.get("/console/")).content.decode()
        form = re.search(rf'action="/console/\d+/{verb}/".*?</form>', html, re.DOTALL)
        assert form, f"no button {verb}"
        fields = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[0])
        return {name: value for name, value in fields if name != "csrfmiddlewaretoken"}

    # The queue

    def call(self, token: Token) -> None:
        """Called by the doctor."""
        outermost(lambda: queueing.call(token_id=token.pk, by=self.doctor_user))

    def start(self, token: Token) -> None:
        """With the doctor."""
        outermost(lambda: queueing.start(token_id=token.pk, by=self.doctor_user))

    def complete(self, token: Token) -> None:
        """Seen by the doctor."""
        outermost(lambda: queueing.complete(token_id=token.pk, by=self.doctor_user))

    def kinds(self, token: Token) -> list[str]:
        """What happened to a token, oldest first."""
        return list(Event.objects.filter(token=token).order_by("seq").values_list("kind", flat=True))

    def held_for(self, token: Token, minutes: int) -> bool:
        """Whether a token is held for about so many minutes from now."""
        token.refresh_from_db()
        held = Event.objects.filter(token=token, kind="held").latest("seq")
        return token.held_until - held.at == timedelta(minutes=minutes)
