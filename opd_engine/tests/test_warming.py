"""A process knows addresses and templates before its first request."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.template.autoreload import reset_loaders
from django.template.loader import get_template
from django.template.loaders.filesystem import Loader
from django.urls import clear_url_caches, reverse
from django.urls.resolvers import URLResolver
from django.utils import translation

from opd_engine import serve
from opd_engine.management.commands import serve as command
from opd_engine.warming import warm_up


@pytest.fixture
def cold() -> Iterator[None]:
    """Nothing is known, as in a process that has just begun."""
    clear_url_caches()
    reset_loaders()
    yield
    clear_url_caches()


def ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page asks for, while nothing new can be worked out."""

    def never(*_args: Any, **_named: Any) -> None:
        raise AssertionError("worked out at a request")

    with monkeypatch.context() as patch:
        patch.setattr(URLResolver, "_populate", never)
        patch.setattr(Loader, "get_contents", never)
        for language, _name in settings.LANGUAGES:
            with translation.override(language):
                assert reverse("reports") == "/reports/"
                assert reverse("admin:index")
        for name in ("base.html", "reports/reports.html", "reports/_figure.html", "components/_nav.html"):
            assert get_template(name)


@pytest.mark.usefixtures("cold")
def test_what_was_warmed_up_is_not_worked_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError, match="at a request"):
        ask(monkeypatch)
    warm_up()
    ask(monkeypatch)


@pytest.mark.django_db
@pytest.mark.usefixtures("cold")
def test_the_server_forks_warm(monkeypatch: pytest.MonkeyPatch) -> None:
    class Family:
        def __init__(self, listener: socket.socket, servers: int) -> None:
            listener.close()

        def run(self) -> None:
            ask(monkeypatch)

    monkeypatch.setattr(command, "collect", lambda write: None)
    monkeypatch.setattr(serve, "Family", Family)
    call_command("serve", port=0)
