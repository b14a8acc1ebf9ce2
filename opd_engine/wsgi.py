"""Django as a WSGI application, which ``asgi.py`` runs in its threads."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opd_engine.settings")
application = get_wsgi_application()
