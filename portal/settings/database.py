"""The database that an address in the environment names."""

from __future__ import annotations

from typing import Any

import environ

env = environ.Env()


def database(variable: str, default: Any = environ.Env.NOTSET) -> dict[str, Any]:
    """Django's settings for it, with the portal's own backend for PostgreSQL."""
    made: dict[str, Any] = env.db(variable, default=default)
    if made["ENGINE"] == "django.db.backends.postgresql":
        made["ENGINE"] = "common.postgresql"
    return made
