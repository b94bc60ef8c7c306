#!/usr/bin/env python
"""Django's command line for the portal."""

import os
import sys


def main() -> None:
    # A real installation gives SECRET_KEY; without it this is the demo, with embedded defaults.
    kind = "production" if os.environ.get("SECRET_KEY") else "demo"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", f"portal.settings.{kind}")
    # What a command prints is its result, so its log goes beside it; services log to stdout.
    if sys.argv[1:2] not in (["runserver"], ["worker"]):
        os.environ.setdefault("LOG_STREAM", "stderr")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 (named first)

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
