"""Streams of pages over the product's own server: what comes, who gets it, when it ends, what stays behind."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session as SignIn
from django.db import connection
from django.test import Client
from django.utils import timezone
from psycopg import sql

from accounts.models import UserRole
from common.transactions import outermost
from opd_engine import bridge
from opd_engine.embedded import _wait_until
from opd_engine.tests.served import Served
from reception.tests.factories import HOUR, Hall, another_day
from tokens import live
from tokens.live import Frame, Hub, Watch, hearing, saying, sending, sharing

pytestmark = pytest.mark.django_db(transaction=True)

SOON = 30.0


class Tab:
    """An open page's stream: what a browser would have, by the id of the element."""

    def __init__(self, server: Served, client: Client, path: str, seen: str = "") -> None:
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
        self.wire = socket.create_connection(("127.0.0.1", server.port), timeout=SOON)
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\nLast-Event-ID: {seen}\r\n\r\n"
        self.wire.sendall(request.encode())
        self.file = self.wire.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.headers: dict[str, str] = {}
        while line := self.file.readline().strip():
            name, _, value = line.decode().partition(":")
            self.headers[name.lower()] = value.strip()
        self.seen = seen

    def event(self) -> list[str] | None:
        """The parts of the next event; None where the stream has ended in good order."""
        while length := int(self.file.readline(), 16):
            chunk = self.file.read(length + 2).decode()
            parts = None
            for line in chunk.splitlines():
                if line.startswith("id: "):
                    self.seen = line[4:]
                if line.startswith("data: "):
                    parts = json.loads(line[6:])
            if parts is not None:
                return parts
        return None

    def close(self) -> None:
        self.file.close()
        self.wire.close()


def page_of(client: Client, path: str = "/desk/") -> tuple[str, str]:
    """The address of a page's stream, and the version that the page shows."""
    context = client.get(path).context
    return f"/desk/stream/?{context['stream']}", context["parts"].frame.version


def eventually(happened: Callable[[], bool]) -> bool:
    """Whether it happens soon."""
    return _wait_until(happened, SOON)


def listeners() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()",
            [hearing.LISTENER],
        )
        return cursor.fetchone()[0]


def open_a_tab(hall: Hall, server: Served) -> tuple[Tab, Client]:
    client = hall.asha
    return Tab(server, client, *page_of(client)), client


class TestWhatComes:
    def test_a_change_between_the_page_and_its_stream(self, live_server: Served) -> None:
        hall = Hall()
        client = hall.asha
        path, seen = page_of(client)
        hall.give("Came In Between")
        tab = Tab(live_server, client, path, seen)
        assert tab.headers["content-type"] == "text/event-stream"
        assert any("Came In Between" in part for part in tab.event() or [])
        tab.close()

    def test_only_what_changed_and_of_that_every_change(self, live_server: Served) -> None:
        hall = Hall(capacity=9)
        other = hall.sitting(hall.doctor("Dr Iyer"), timezone.now() - HOUR / 2)
        tab, _ = open_a_tab(hall, live_server)
        for name in ("Ravi", "Meera", "Joseph"):
            hall.give(name)
            parts = tab.event() or []
            assert any(f'id="col-{hall.session.pk}"' in part and name in part for part in parts)
            assert not any(f'id="col-{other.pk}"' in part for part in parts)
        tab.close()

    def test_who_comes_again_gets_what_was_missed_and_not_more(self, live_server: Served) -> None:
        hall = Hall()
        other = hall.sitting(hall.doctor("Dr Iyer"), timezone.now() - HOUR / 2)
        tab, client = open_a_tab(hall, live_server)
        hall.give("Ravi")
        tab.event()
        tab.close()
        hall.give("Meera")
        again = Tab(live_server, client, page_of(client)[0], tab.seen)
        parts = again.event() or []
        assert any("Meera" in part for part in parts)
        assert not any(f'id="col-{other.pk}"' in part for part in parts)
        again.close()

    def test_whoever_sends_a_version_of_nobody_gets_the_whole(self, live_server: Served) -> None:
        hall = Hall()
        client = hall.asha
        path, seen = page_of(client)
        tab = Tab(live_server, client, path, "12-what")
        assert len(tab.event() or []) == len(seen.split("-"))
        tab.close()

    def test_a_session_that_is_opened_comes_within_a_comparison(self, live_server: Served) -> None:
        hall = Hall()
        tab, _ = open_a_tab(hall, live_server)
        session = hall.sitting(hall.doctor("Dr Iyer"), timezone.now() - HOUR / 2)  # nobody hints at it
        parts: list[str] = []
        while not any(f'id="col-{session.pk}"' in part for part in parts):
            parts = tab.event() or []
        assert any('id="columns" data-parts=' in part for part in parts)
        tab.close()

    def test_two_tabs_and_two_readers_are_served_by_one_read(self, live_server: Served) -> None:
        hall = Hall()
        tabs = [open_a_tab(hall, live_server)[0] for _ in range(5)]
        hall.give("Ravi")
        told = [tab.event() for tab in tabs]
        assert all(parts == told[0] for parts in told)
        assert [len(hub._watched) for hub in sharing._hubs.values() if not hub.idle] == [1]
        for tab in tabs:
            tab.close()


class TestWhoGetsIt:
    def test_who_has_not_signed_in_hears_so_and_is_sent_nowhere(self, live_server: Served) -> None:
        assert Tab(live_server, Client(), "/desk/stream/").status == 401

    def test_who_may_not_see_the_hall_is_refused(self, live_server: Served) -> None:
        assert Tab(live_server, Hall().client("kiosk"), "/desk/stream/").status == 403

    @pytest.fixture
    def impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sending, "ADMITTED", 0.0)
        monkeypatch.setattr(sending, "KEPT_ALIVE", 0.02)

    @pytest.mark.usefixtures("impatient")
    def test_it_ends_when_the_permission_is_taken_away(self, live_server: Served) -> None:
        hall = Hall()
        tab, client = open_a_tab(hall, live_server)
        UserRole.objects.filter(user__username=f"reception{hall.serial}").delete()
        assert tab.event() is None
        assert Tab(live_server, client, "/desk/stream/").status == 403

    @pytest.mark.usefixtures("impatient")
    def test_it_ends_when_the_sign_in_does(self, live_server: Served) -> None:
        hall = Hall()
        tab, client = open_a_tab(hall, live_server)
        user_id = client.session[SESSION_KEY]
        client.logout()
        assert not SignIn.objects.filter(pk=user_id).exists()
        assert tab.event() is None

    @pytest.mark.usefixtures("impatient")
    def test_while_all_is_as_it_was_it_goes_on(self, live_server: Served) -> None:
        hall = Hall()
        tab, _ = open_a_tab(hall, live_server)
        for name in ("Ravi", "Meera"):
            hall.give(name)
            assert any(name in part for part in tab.event() or [])
        tab.close()

    @pytest.mark.usefixtures("impatient")
    def test_at_midnight_it_ends_and_the_page_is_told_to_open_itself_anew(self, live_server: Served) -> None:
        hall = Hall()
        tab, client = open_a_tab(hall, live_server)
        path = page_of(client)[0]
        # Midnight comes by moving the hospital, not the clock.
        type(hall.facility).objects.filter(pk=hall.facility.pk).update(time_zone=another_day())
        assert tab.event() is None
        assert Tab(live_server, client, path).status == 410


class TestWhatItOutlives:
    def test_the_listening_connection_is_cut(self, live_server: Served) -> None:
        hall = Hall()
        tab, _ = open_a_tab(hall, live_server)
        assert eventually(lambda: listeners() == 1)
        with psycopg.connect(**saying.parameters(), autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", [hearing.LISTENER]
            )
        hall.give("Ravi")
        assert any("Ravi" in part for part in tab.event() or [])
        tab.close()

    def test_the_database_goes_away_and_comes_back(self, live_server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sharing, "AGAIN", 0.01)
        hall = Hall()
        tab, client = open_a_tab(hall, live_server)
        path = page_of(client)[0]
        assert eventually(lambda: listeners() == 1)
        with database_away():
            assert tab.event() is None
            assert Tab(live_server, client, path).status >= 500  # a page knocks again
        hall.give("Came Afterwards")
        again = Tab(live_server, client, path, tab.seen)
        assert any("Came Afterwards" in part for part in again.event() or [])
        again.close()

    def test_the_end_of_the_server_is_an_end_in_good_order(self, live_server: Served) -> None:
        tab, _ = open_a_tab(Hall(), live_server)
        live_server.stop()
        assert tab.event() is None
        live_server.start()

    def test_what_changed_without_a_version_is_told_by_a_hint(self, live_server: Served) -> None:
        hall = Hall()
        token = hall.give("Ravi")
        tab, _ = open_a_tab(hall, live_server)

        def renamed() -> None:
            type(token.patient).objects.filter(pk=token.patient_id).update(name="Ravi Shankar")
            live.announce(hall.facility.pk, [hall.session.pk])

        outermost(renamed)
        assert any("Ravi Shankar" in part for part in tab.event() or [])
        tab.close()

    def test_a_read_that_hangs_is_given_up_and_the_next_is_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(hearing, "LONGEST", 0.05)
        reading = threading.Event()

        def hangs() -> None:
            reading.set()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(60)")

        async def scenario() -> None:
            hub = Hub(hearing.Database())
            hung = hub.follow(Watch(key="hangs", read=hangs, facility_id=1), idle=SOON)
            waits = asyncio.ensure_future(anext(hung))
            while not reading.is_set():
                await asyncio.sleep(0)
            other = hub.follow(Watch(key="other", read=lambda: Frame.of({"a": "b"}), facility_id=1), idle=SOON)
            async with asyncio.timeout(SOON):
                frame = await anext(other)
            assert frame is not None
            assert not waits.done()
            waits.cancel()
            await other.aclose()

        asyncio.run(scenario())
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("0",)


class TestWhatStaysBehind:
    def test_a_process_has_so_many_streams_and_no_more(
        self, live_server: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bridge, "MOST_STREAMS", 2)
        hall = Hall()
        tabs = [open_a_tab(hall, live_server)[0] for _ in range(3)]
        assert [tab.status for tab in tabs] == [200, 200, 503]
        tabs[0].close()
        assert eventually(lambda: len(live_server.root.bridge.streams) == 1)
        another, _ = open_a_tab(hall, live_server)
        assert another.status == 200
        for tab in (another, *tabs[1:]):
            tab.close()

    def test_strangers_leave_room_for_who_has_signed_in(
        self, live_server: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bridge, "MOST_PUBLIC", 2)
        hall = Hall()
        board = f"/board/{hall.facility.slug}/stream/"
        screens = [Tab(live_server, Client(), board) for _ in range(3)]
        assert [screen.status for screen in screens] == [200, 200, 503]
        desk, _ = open_a_tab(hall, live_server)
        assert desk.status == 200
        for tab in (desk, *screens):
            tab.close()

    def test_a_closed_tab_frees_everything(self, live_server: Served) -> None:
        hall = Hall()
        tabs = [open_a_tab(hall, live_server)[0] for _ in range(20)]
        tabs += [Tab(live_server, hall.asha, f"/desk/stream/?show={show}") for show in ("all", "later")]
        hall.give("Ravi")
        for tab in tabs:
            tab.event()
        assert len(live_server.root.bridge.streams) == 22
        for tab in tabs:
            tab.close()
        assert eventually(lambda: not live_server.root.bridge.streams)
        assert eventually(lambda: all(hub.idle for hub in sharing._hubs.values()))
        assert eventually(lambda: listeners() == 0)
        assert eventually(lambda: not any(each.name.startswith("live-reader") for each in threading.enumerate()))

    def test_streams_take_neither_threads_nor_connections(self, live_server: Served) -> None:
        hall = Hall()
        tab, client = open_a_tab(hall, live_server)
        hall.give("Ravi")
        tab.event()
        held = threading.active_count(), connections()
        tabs = [Tab(live_server, client, page_of(client)[0]) for _ in range(30)]
        for each in tabs:
            each.event()
        requests = live_server.root.bridge.threads._max_workers
        assert threading.active_count() <= held[0] + requests
        assert connections() <= held[1] + 1
        for each in (tab, *tabs):
            each.close()


@contextmanager
def database_away() -> Iterator[None]:
    """Nobody reaches the database of this test, and whoever was connected is not any more."""
    name = str(connection.settings_dict["NAME"])
    connection.close()
    with psycopg.connect(**saying.parameters() | {"dbname": "postgres"}, autocommit=True) as server:
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        server.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        try:
            yield
        finally:
            server.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


def connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return cursor.fetchone()[0]


def test_another_day_is_live_too(live_server: Served) -> None:
    hall = Hall()
    tomorrow = hall.facility.local_date() + timedelta(days=1)
    session = hall.sitting(hall.rao, timezone.now() + timedelta(days=1))
    client = hall.asha
    tab = Tab(live_server, client, *page_of(client, f"/desk/?date={tomorrow}"))
    hall.slots = list(session.slots.all())
    hall.give("Comes Tomorrow")
    assert any("Comes Tomorrow" in part for part in tab.event() or [])
    tab.close()
