"""What the environment says, read in one place and with clear refusals.

Everything that differs between machines is an environment variable; ``docs`` and README list them.
"""

import contextlib
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
NEEDED_IN_PRODUCTION = ("SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL")


def text(name: str, default: str = "") -> str:
    """The variable without surrounding blanks; an empty one counts as not set."""
    return os.environ.get(name, "").strip() or default


def number(name: str, default: int) -> int:
    """The variable as a whole number.

    Raises:
        ImproperlyConfigured: it is something else.
    """
    value = text(name, str(default))
    try:
        return int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from None


def words(name: str) -> list[str]:
    """The variable as a list, separated by commas."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def is_production() -> bool:
    """Whether this is the real thing. Refuses half a configuration, and a name that is neither.

    Raises:
        ImproperlyConfigured: ``OPD_ENV`` is unknown, or production lacks a variable.
    """
    kind = text("OPD_ENV", "development")
    if kind not in ("development", "production"):
        raise ImproperlyConfigured(f"OPD_ENV is {kind!r}; it must be development or production.")
    missing = [name for name in NEEDED_IN_PRODUCTION if not text(name)]
    if kind == "production" and missing:
        raise ImproperlyConfigured(f"OPD_ENV=production refuses to start without {', '.join(missing)}.")
    return kind == "production"


def var_dir() -> Path:
    """The folder of everything that is written: the embedded database, uploads, logs."""
    return Path(text("OPD_VAR", str(BASE_DIR / "var"))).expanduser().resolve()


def database(url: str) -> dict[str, Any]:
    """Django's description of ``postgresql://user:password@host:port/name?option=value``.

    A socket's folder is given as ``?host=/run/postgresql``.

    Raises:
        ImproperlyConfigured: the address names another database system, or no database.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured("DATABASE_URL must begin with postgresql://; no other database is supported.")
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise ImproperlyConfigured("DATABASE_URL names no database: postgresql://user:password@host:5432/name")
    options = dict(parse_qsl(parts.query))
    return {
        "NAME": name,
        "USER": unquote(parts.username or options.pop("user", "")),
        "PASSWORD": unquote(parts.password or options.pop("password", "")),
        "HOST": options.pop("host", "") or unquote(parts.hostname or ""),
        "PORT": str(parts.port or options.pop("port", "")),
        "OPTIONS": options,
    }


def secret_key(var: Path) -> str:
    """``SECRET_KEY``, or in development one made once and kept in a file that only its owner reads.

    Raises:
        ImproperlyConfigured: the folder cannot be written.
    """
    if given := text("SECRET_KEY"):
        return given
    file = var / "secret_key"
    try:
        if not file.exists():
            _write_once(file, secrets.token_urlsafe(48))
        return file.read_text()
    except OSError as error:
        raise ImproperlyConfigured(f"OPD_VAR={var} cannot be used: {error}") from error


def _write_once(file: Path, content: str) -> None:
    """Write the file whole, mode 600, unless another process was first: two first starts agree on one key."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(content)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
    finally:
        draft.unlink()
