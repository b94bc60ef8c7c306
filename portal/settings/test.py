"""Settings of the test suite: the demo's, without what makes tests slow."""

import tempfile
from pathlib import Path

from portal.settings.database import database
from portal.settings.demo import *  # noqa: F403
from portal.settings.demo import DATABASES, STORAGES, env

SECRET_KEY = "only-for-tests"  # noqa: S105 (nothing real is signed with it)
BASE_URL = "http://testserver"
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
if env("TEST_DATABASE_URL", default=""):
    DATABASES["default"] = database("TEST_DATABASE_URL")
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
VAR_DIR = Path(tempfile.mkdtemp(prefix="tep-tests-"))
MEDIA_ROOT = VAR_DIR / "media"
RESULTS_ON_THEIR_WAY = VAR_DIR / "copying"
STORAGES["results"]["OPTIONS"] = {"location": str(VAR_DIR / "results"), "base_url": None}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file as in real use, not memory: threads and processes of a test share it.
    DATABASES["default"]["TEST"] = {"NAME": VAR_DIR / "tests.sqlite3"}
    DATABASES["default"]["OPTIONS"] = {
        **DATABASES["default"].get("OPTIONS", {}),
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
        " PRAGMA recursive_triggers=ON;",
    }
OUTBOUND_ALLOW = ["127.0.0.0/8"]
OUTBOUND_ALLOW_USERS = ["127.0.0.0/8"]
