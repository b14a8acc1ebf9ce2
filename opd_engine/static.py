"""Static files as browsers get them: named by their content, so that they may be kept for ever, and compressed."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from whitenoise.storage import CompressedManifestStaticFilesStorage

# Maps for debuggers; pages that nobody is served: their packages bring more than is used.
IGNORED = ["*.map", "redoc", "rest_framework"]
STAMP = ".collected"


class PackedStorage(CompressedManifestStaticFilesStorage):
    """Compresses what pages refer to, and that once: a name with a hash never changes its content.

    Our own modules import each other; these names are rewritten, too.
    """

    patterns = (
        ("*.css", (r"""(?P<matched>url\(["']?(?P<url>[^"')]+)["']?\))""",)),
        ("js/*.js", ((r'(?P<matched>(?P<verb>from|import) "(?P<url>\.[^"]+)")', '%(verb)s "%(url)s"'),)),
    )

    def compress_files(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Only what is new among the names with a hash."""
        named = set(self.hashed_files.values())
        fresh = [path for path in paths if path in named and not Path(self.path(f"{path}.gz")).exists()]
        yield from super().compress_files(fresh)


def collect(tell: Callable[[str], object]) -> None:
    """Bring STATIC_ROOT up to date. Without a change it costs a look at the sources' times.

    Args:
        tell: hears what takes a few seconds, on the first start.
    """
    root = Path(settings.STATIC_ROOT)
    # whitenoise complains of a folder that is not there.
    root.mkdir(parents=True, exist_ok=True)
    if not isinstance(staticfiles_storage, PackedStorage):
        return
    stamp, now = root / STAMP, _fingerprint()
    if stamp.exists() and stamp.read_text() == now:
        return
    if not stamp.exists():
        tell("Compressing stylesheets and scripts ...")
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=IGNORED)
    stamp.write_text(now)


def _fingerprint() -> str:
    """Changes with every source file, its time or size, and with this file, which says how they are packed."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path, file in _sources():
        state = file.stat()
        digest.update(f"{path} {state.st_mtime_ns} {state.st_size}\n".encode())
    return digest.hexdigest()


def _sources() -> list[tuple[str, Path]]:
    found: list[tuple[str, Any]] = []
    for finder in get_finders():
        found += [(path, Path(storage.path(path))) for path, storage in finder.list(IGNORED)]
    return sorted(found)
