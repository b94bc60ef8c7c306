"""Embedded defaults on one machine over plain HTTP: SQLite, no broker, a provider on localhost."""

from __future__ import annotations

import os
import secrets

from portal.settings.base import *  # noqa: F403
from portal.settings.base import STATICFILES_DIRS, STORAGES, VAR_DIR, env


def _generated_secret() -> str:
    """A secret made once and kept in `var/`, so that sessions survive a restart."""
    path = VAR_DIR / "secret_key"
    VAR_DIR.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(50))
    return path.read_text()


SECRET_KEY = env("SECRET_KEY", default="") or _generated_secret()
PORT = env.int("PORT", default=8000)
PROVIDER_PORT = env.int("PROVIDER_PORT", default=8001)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
BASE_URL = env("BASE_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 0
SESSION_COOKIE_SECURE = False
CSRF_COOKIE_SECURE = False
ACCOUNT_EMAIL_VERIFICATION = "none"
OUTBOUND_PLAIN_HTTP = True
OUTBOUND_ALLOW = env.list("OUTBOUND_ALLOW", default=[f"127.0.0.1:{PROVIDER_PORT}"])
# All on the machine of the one who tries it: callbacks to it are to be tried as well.
OUTBOUND_ALLOW_USERS = env.list("OUTBOUND_ALLOW_USERS", default=OUTBOUND_ALLOW)
FREE_RUNS_PER_HOUR = env.int("FREE_RUNS_PER_HOUR", default=0)
# Static files as they lie in the packages: nothing is collected or compressed at each start.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_USE_FINDERS = True
WHITENOISE_MIMETYPES = {".geojson": "application/geo+json"}
(VAR_DIR / "scene").mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS.append(("demo-scene", VAR_DIR / "scene"))
# Everything is on one machine: look often, so that a person sees progress.
POLL_SECONDS_FIRST = env.float("POLL_SECONDS_FIRST", default=0.5)
POLL_SECONDS_MOST = env.float("POLL_SECONDS_MOST", default=5)
USAGE_QUEUE_SECONDS = env.float("USAGE_QUEUE_SECONDS", default=0.5)
