"""What the first request of a process would have to work out, worked out before the processes are forked."""

from django.conf import settings
from django.template.loader import get_template
from django.urls import reverse
from django.utils import translation


def warm_up() -> None:
    """Know the site map, in each language the addresses by their names, and the pages' templates.

    A broken site map or template is told here and now, and the children come into the world knowing all of it.
    """
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            # The first who asks for an address builds a table of all in this language, and one more of the admin's.
            reverse("admin:index")
    folder = settings.BASE_DIR / "templates"
    for file in folder.rglob("*.html"):
        get_template(f"{file.relative_to(folder)}")
