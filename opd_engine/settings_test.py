"""Settings of the tests: a cluster of their own that does not wait for the disk, and a quick password hasher."""

import os

from opd_engine import environment

# For the programs that tests start, too: they inherit the environment and find the same server.
os.environ["OPD_VAR"] = environment.text("OPD_TEST_VAR", str(environment.BASE_DIR / "var" / "test"))
os.environ["OPD_ENV"] = "development"

from opd_engine.settings import *  # noqa: F403
from opd_engine.settings import DATABASES, STORAGES

OPD_EMBEDDED_DURABLE = False
# Several people may test in one checkout at once, each with a name of their own.
DATABASES["default"]["TEST"] = {"NAME": f"test_{environment.text('OPD_TEST_DB', 'opd')}"}

# Static files from where they are written, under their own names.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_USE_FINDERS = True

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# No thread reads the database beside a test; those about waits learn by a call.
OPD_WAITS_LEARN = False
