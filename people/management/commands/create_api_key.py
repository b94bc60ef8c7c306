"""manage.py create_api_key"""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.clock import now
from common.errors import PortalError
from people.models import Scope
from people.selectors import find_user
from people.services import create_api_key


class Command(BaseCommand):
    help = (
        "Make an API key for a user and print its text, and nothing else, to standard output. "
        "The text cannot be had again: only its hash is kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="user name or e-mail address")
        parser.add_argument("--name", default="made by create_api_key", help="to tell keys apart")
        parser.add_argument(
            "--scope",
            action="append",
            choices=Scope.values,
            help="what it may be used for; may be repeated (default: read and run)",
        )
        parser.add_argument("--days", type=int, help="until it expires (default: never)")

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["days"]
        try:
            _, text = create_api_key(
                user=find_user(options["user"]),
                name=options["name"],
                scopes=options["scope"] or [Scope.READ.value, Scope.RUN.value],
                expires_at=now() + timedelta(days=days) if days is not None else None,
            )
        except OverflowError:
            raise CommandError(
                "This is too long; leave --days out for a key without end."
            ) from None
        except PortalError as error:
            raise CommandError(error.detail) from None
        self.stdout.write(text)
