"""Where the portal keeps its own copies of results, and how much of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import environ

env = environ.Env()

# One copy, and all copies of one user's jobs, in bytes.
COPY_MOST_BYTES = env.int("COPY_MOST_BYTES", default=20 * 10**9)
COPY_MOST_BYTES_OF_USER = env.int("COPY_MOST_BYTES_OF_USER", default=100 * 10**9)


def results_storage(folder: Path) -> dict[str, Any]:
    """Files below `folder`, or with RESULTS_STORAGE_BUCKET an S3-compatible storage.

    RESULTS_STORAGE_ENDPOINT (empty: Amazon's), _ACCESS_KEY, _SECRET_KEY, _REGION, _PREFIX.
    """
    bucket = env("RESULTS_STORAGE_BUCKET", default="")
    if not bucket:
        options = {"location": str(folder), "base_url": None, "file_permissions_mode": 0o600}
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": bucket,
            "endpoint_url": env("RESULTS_STORAGE_ENDPOINT", default="") or None,
            "access_key": env("RESULTS_STORAGE_ACCESS_KEY", default="") or None,
            "secret_key": env("RESULTS_STORAGE_SECRET_KEY", default="") or None,
            "region_name": env("RESULTS_STORAGE_REGION", default="") or None,
            "location": env("RESULTS_STORAGE_PREFIX", default=""),
            "addressing_style": "path",
            "default_acl": None,
            "querystring_auth": True,
            "file_overwrite": True,
        },
    }


# How long a provider can fetch a result that was named as an input: it may queue the run.
RESULT_LINK_SECONDS = env.int("RESULT_LINK_SECONDS", default=7 * 24 * 3600)
