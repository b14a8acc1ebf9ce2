"""``manage.py messages``: collect what patients read and hear into ``locale/``, and compile it. Needs gettext."""

from fnmatch import fnmatch
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.core.management.commands.makemessages import Command as MakeMessages

PUBLIC: Final = (
    "reception/board*.py",
    "reception/money/words.py",
    "reception/pages/board*.py",
    "reception/pages/kiosk.py",
    "reception/pages/patient.py",
    "reception/phone*.py",
    "templates/public.html",
    "templates/reception/*board*.html",
    "templates/reception/*kiosk*.html",
    "templates/reception/*patient*.html",
    "templates/reception/_slip_paper.html",
)
"""Where the texts for patients stand. Staff's own pages are marked too, and join this list with their translation."""
FOR_STAFF: Final = ("templates/reception/kiosk_end.html", "templates/reception/kiosk_offer.html")


def is_public(path: str) -> bool:
    """Whether patients read what stands in a file, named from the project's root."""
    path = path.removeprefix("./")
    return path not in FOR_STAFF and any(fnmatch(path, pattern) for pattern in PUBLIC)


class Command(MakeMessages):
    """Django's own, for all languages of the settings: nothing is guessed from similar texts, no line is numbered."""

    help = "Collect texts for patients into locale/ and compile them. What is new has no translation yet."
    # A guess that is nearly right would be read by a patient one day.
    msgmerge_options = [*MakeMessages.msgmerge_options, "--no-fuzzy-matching"]

    def find_files(self, root: str) -> list[Any]:
        """The files of ``PUBLIC``."""
        return [file for file in super().find_files(root) if is_public(file.path)]

    def handle(self, *args: Any, **options: Any) -> None:
        """Collect, then compile."""
        languages = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
        options |= {"locale": languages, "no_obsolete": True, "add_location": "file"}
        options["ignore_patterns"] = [".venv", "var"]
        super().handle(*args, **options)
        call_command("compilemessages", locale=languages, ignore_patterns=[".venv"], verbosity=0)
