"""Mails about credit: to whom, and with which link."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounting.models import Account
from people import mail
from people.models import Role, User

# What somebody wrote, or what the portal says: the latter is said in the reader's language.
Text = str | Callable[[], str]


def tell(
    people: Iterable[User | None], occasion: str, *, subject: Text, says: Iterable[Text], path: str
) -> None:
    """Put a mail to each of the people into the outbox; once per occasion and person.

    Texts that are functions are called once for each of the people, in their language.
    """
    texts = list(says)
    for user in {user for user in people if user is not None}:
        with mail.in_language_of(user):
            hello = _("Hello %(name)s,") % {"name": user.display_name}
            said = [_written(text) for text in texts]
            body = "\n\n".join((hello, *(text for text in said if text), mail.link(path)))
            mail.queue(user, f"{occasion}:{user.pk}", _written(subject), body)


def operators() -> QuerySet[User]:
    """Who runs the portal."""
    return User.objects.filter(is_staff=True, is_active=True)


def answerable_for(account: Account) -> QuerySet[User]:
    """The owner of an account, or the administrators of its group."""
    if account.user_id is not None:
        return User.objects.filter(pk=account.user_id)
    if account.group_id is None:
        return User.objects.none()
    return User.objects.filter(
        memberships__group=account.group_id, memberships__role=Role.ADMIN, is_active=True
    )


def _written(text: Text) -> str:
    return text if isinstance(text, str) else text()
