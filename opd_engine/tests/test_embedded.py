"""The embedded PostgreSQL, with real processes: who starts it, who shares it, and what stops it.

Each test has a server of its own in a folder of its own. A user is a Python that says its piece on standard output
and stays until its standard input ends.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from opd_engine import embedded

ROOT = Path(__file__).resolve().parents[2]
USER = """
import signal, sys
from pathlib import Path
from opd_engine import embedded
signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a terminal, wherever the tests were started
print(embedded.use(Path(sys.argv[1]), durable=False), flush=True)
sys.stdin.read()
"""


class User:
    """A process that uses the server of a folder."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
            start_new_session=True,
        )

    def socket(self) -> str:
        """Where its server listens, as soon as it does."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leave(self) -> None:
        """End in good order."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(30)


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty folder, and nothing left of its server afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="opd-test-"))
    yield folder / "postgres"
    embedded.release(folder / "postgres")
    assert wait_until(lambda: not runs(folder / "postgres"))
    shutil.rmtree(folder)
    shutil.rmtree(embedded.socket_dir(folder / "postgres"), ignore_errors=True)  # after the keeper was killed


@pytest.fixture
def users(home: Path) -> Iterator[Callable[[], User]]:
    """Starts users of ``home``."""
    started: list[User] = []

    def start() -> User:
        started.append(User(home))
        return started[-1]

    yield start
    for user in started:
        with contextlib.suppress(ProcessLookupError, BrokenPipeError):
            user.leave()


def wait_until(happened: Callable[[], bool], seconds: float = 30) -> bool:
    """Whether it happened in time."""
    return embedded._wait_until(happened, seconds)


def runs(home: Path) -> bool:
    """Whether any process of a server of the folder is alive: they all hold its lock."""
    return (home / "server.lock").exists() and not embedded._could_lock(home / "server.lock", embedded.fcntl.LOCK_EX)


def ask(socket: str | Path, question: str = "SELECT pg_postmaster_start_time()::text") -> str:
    with psycopg.connect(host=str(socket), user="postgres", dbname="opd", autocommit=True) as connection:
        *_, answer = connection.execute(question).results()
        return answer.fetchone()[0]


def postmaster(home: Path) -> int:
    return int((embedded.data_dir(home) / "postmaster.pid").read_text().split()[0])


def keeper(home: Path) -> int:
    return int(subprocess.check_output(["ps", "-o", "ppid=", "-p", str(postmaster(home))]))


def test_two_that_start_at_once_share_one_server(home, users):
    first, second = users(), users()
    assert ask(first.socket()) == ask(second.socket())


def test_it_stays_for_the_user_that_is_left_and_stops_with_the_last(home, users):
    first, second = users(), users()
    began = ask(first.socket())
    first.leave()
    assert ask(second.socket()) == began
    second.leave()
    assert not runs(home)


def test_a_user_returns_from_release_when_the_server_has_stopped(home):
    socket = embedded.use(home, durable=False)
    ask(socket)
    embedded.release(home)
    assert not runs(home)
    assert not socket.exists()


def test_what_was_written_is_there_after_a_new_start(home):
    ask(embedded.use(home, durable=False), "CREATE TABLE kept AS SELECT 17 AS n; SELECT ''")
    embedded.release(home)
    assert ask(embedded.use(home, durable=False), "SELECT n::text FROM kept") == "17"


def test_a_user_killed_with_sigkill_counts_no_longer(home, users):
    only = users()
    only.socket()
    only.process.kill()
    assert wait_until(lambda: not runs(home))


def test_killing_one_user_leaves_the_server_to_the_other(home, users):
    first, second = users(), users()
    began = ask(first.socket())
    first.process.kill()
    first.process.wait()
    assert ask(second.socket()) == began


def test_a_server_killed_under_its_users_comes_back_with_everything_committed(home):
    socket = embedded.use(home, durable=True)
    ask(socket, "CREATE TABLE promised AS SELECT 4 AS n; SELECT ''")
    before = ask(socket)
    os.kill(postmaster(home), signal.SIGKILL)

    def is_back() -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            return ask(socket) != before
        return False

    assert wait_until(is_back)
    assert ask(socket, "SELECT n::text FROM promised") == "4"


def test_a_server_whose_keeper_was_killed_is_started_again_by_the_next_use(home):
    before = ask(embedded.use(home, durable=False))
    os.kill(keeper(home), signal.SIGKILL)
    assert wait_until(lambda: not runs(home))
    assert ask(embedded.use(home, durable=False)) != before


def test_a_crash_of_everything_leaves_nothing_that_stops_the_next_start(home, users):
    user = users()
    user.socket()
    keeper_pid, server_pid = keeper(home), postmaster(home)
    for pid in (keeper_pid, server_pid, user.process.pid):
        os.kill(pid, signal.SIGKILL)
    assert (embedded.data_dir(home) / "postmaster.pid").exists()
    assert ask(embedded.use(home, durable=False))


def test_a_server_killed_together_with_its_last_user_stays_down_and_starts_for_the_next(home, users):
    """The keeper may be starting it again just as it hears that nobody is left."""
    for _ in range(4):
        user = users()
        assert user.socket()
        os.kill(postmaster(home), signal.SIGKILL)
        user.process.kill()
        assert wait_until(lambda: not embedded._keeper_lives(home))


def test_a_pid_file_whose_pid_belongs_to_somebody_else_now_is_no_obstacle(home):
    embedded.use(home, durable=False)
    pid_file = embedded.data_dir(home) / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    embedded.release(home)
    pid_file.write_text("\n".join(["1", *lines[1:]]) + "\n")
    assert ask(embedded.use(home, durable=False))


def test_an_initdb_that_was_killed_is_begun_anew(home):
    half = home / f"{embedded.data_dir(home).name}.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    assert ask(embedded.use(home, durable=False))


def test_a_folder_of_any_length_with_spaces_has_a_short_socket(home):
    deep = home / ("a very long name " * 8) / ("और लंबा नाम " * 5)
    try:
        socket = embedded.use(deep, durable=False)
        assert len(os.fsencode(socket / ".s.PGSQL.5432")) < 60
        assert ask(socket)
    finally:
        embedded.release(deep)


def test_a_clone_in_a_private_folder_works_for_root_and_for_its_owner(home):
    home.parent.chmod(0o700)
    assert ask(embedded.use(home, durable=False))


def test_ctrl_c_in_the_terminal_reaches_the_app_and_not_the_server(home, users):
    user = users()
    socket = user.socket()
    assert os.getsid(postmaster(home)) != os.getsid(user.process.pid)
    assert os.getsid(keeper(home)) != os.getsid(user.process.pid)
    os.killpg(user.process.pid, signal.SIGINT)
    user.process.wait(30)
    assert wait_until(lambda: not runs(home))
    assert not Path(socket).exists()


def test_a_user_who_comes_while_it_stops_waits_and_gets_a_new_one(home, users):
    going = users()
    going.socket()
    leaving = threading.Thread(target=going.leave)
    leaving.start()
    coming = users()
    assert ask(coming.socket())
    leaving.join(30)
    assert ask(embedded.use(home, durable=False))


def test_a_forked_child_that_ends_does_not_end_the_use_of_its_parent(home):
    socket = embedded.use(home, durable=False)
    began = ask(socket)
    child = os.fork()
    if child == 0:
        embedded._release_all(os.getppid())
        os._exit(0)
    os.waitpid(child, 0)
    assert ask(socket) == began


def test_it_listens_on_no_network_address(home):
    socket = embedded.use(home, durable=False)
    assert ask(socket, "SHOW listen_addresses") == ""
    assert Path(socket).stat().st_mode & 0o777 == 0o700


def test_it_waits_for_the_disk_unless_told_otherwise(home):
    socket = embedded.use(home)
    assert ask(socket, "SELECT current_setting('fsync') || current_setting('synchronous_commit')") == "onon"


def test_a_server_that_cannot_start_says_where_its_log_is(home):
    embedded.use(home, durable=False)
    embedded.release(home)
    shutil.move(embedded.data_dir(home) / "global", home / "away")
    began = time.monotonic()
    with pytest.raises(embedded.EmbeddedError, match="log"):
        embedded.use(home, durable=False)
    assert time.monotonic() - began < embedded.START_SECONDS
