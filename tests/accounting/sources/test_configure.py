"""Setting up sources: checked whole, secrets encrypted, bound to their place."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from accounting.models import UsageSource
from accounting.sources import registry
from accounting.sources.configure import delete_source, save_source
from accounting.sources.contract import Delivery, Place
from accounting.usage.apel import write
from common.errors import ConfigurationError, Forbidden, InvalidInput
from people.models import User
from tests.accounting.scene import usage
from tests.accounting.sources.authority import Authority
from tests.accounting.sources.place import make_source, run
from tests.factories import make_user

pytestmark = pytest.mark.django_db
GOOD = {
    "name": "Queue",
    "kind": "stomp",
    "address": "a.example.org:61613",
    "destination": "/queue/q",
}


@pytest.fixture
def operator() -> User:
    return make_user(is_staff=True)


def test_secrets_are_encrypted_and_stay_at_their_place(operator: User, tmp_path: Path) -> None:
    key = Authority(tmp_path).issue("portal").key.read_text()
    source = save_source(operator, UsageSource(), {**GOOD, "secret": "hush", "decryption_key": key})
    stored = str(UsageSource.objects.filter(pk=source.pk).values().get())
    assert "hush" not in stored
    assert "PRIVATE KEY" not in stored
    secret = source.secret
    UsageSource.objects.update(cursor="x", failures=3, last_error="e")
    source.refresh_from_db()
    save_source(operator, source, {"name": "Other", "address": GOOD["address"]})
    source.refresh_from_db()
    assert (source.secret, source.cursor, source.failures) == (secret, "x", 0)
    save_source(operator, source, {"address": "b.example.org:61613"})
    source.refresh_from_db()
    assert (source.secret, source.cursor) == ("", "")
    save_source(operator, source, {"address": "c.example.org:61613", "secret": "again"})
    assert source.secret
    save_source(operator, source, {"secret": "", "decryption_key": ""})
    assert (source.secret, source.decryption_key) == ("", "")


def test_only_operators_set_up_and_delete(operator: User) -> None:
    source = save_source(operator, UsageSource(), GOOD)
    for act in (
        lambda user: save_source(user, UsageSource(), GOOD),
        lambda user: delete_source(user, source),
    ):
        with pytest.raises(Forbidden):
            act(make_user())
    delete_source(operator, source)
    assert not UsageSource.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"name": 7}, "name"),
        ({"kind": "smoke"}, "kind"),
        ({"kind": "dirq"}, "address"),
        ({"kind": "dirq", "address": "relative/folder"}, "address"),
        ({"address": "nonsense"}, "address"),
        ({"kind": "t2", "address": "file:///etc/passwd"}, "address"),
        ({"kind": "t2", "address": "http://169.254.169.254/"}, "address"),
        ({"options": []}, "options"),
        ({"options": {"tls": 1}}, "options"),
        ({"options": {"virtual_host": "\x00"}}, "options"),
        ({"signers": "/CN=x"}, "signers"),
        ({"signers": ["CN=x"]}, "signers"),
        ({"authorities": "no certificate"}, "authorities"),
        ({"signed": True}, "authorities"),
        ({"signed": "yes"}, "signed"),
        ({"decryption_key": "no key"}, "decryption_key"),
        ({"every_seconds": 1}, "every_seconds"),
        ({"every_seconds": "60"}, "every_seconds"),
        ({"cursor": "x"}, "cursor"),
        ({"last_error": "x"}, "last_error"),
    ],
)
def test_what_cannot_be_right_is_told_by_field(
    operator: User, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        save_source(operator, UsageSource(), {**GOOD, **changes})
    assert list(refused.value.errors) == [field]
    assert not UsageSource.objects.exists()


# --- adapters of other packages ----------------------------------------------------------------


class Mailbox:
    """An adapter as another package would bring it."""

    acknowledged: list[str] = []

    @staticmethod
    def check(place: Place) -> None:
        if not place.address.startswith("box:"):
            raise InvalidInput("This must begin with box:", locator="address")

    @classmethod
    def deliveries(cls, place: Place) -> Iterator[Delivery]:
        numbers = range(int(place.cursor or 0) + 1, 4)
        for number in numbers:
            body = write([usage(number, 1, Site=place.secret)])
            yield Delivery(
                body, lambda n=number: cls.acknowledged.append(str(n)), cursor=str(number)
            )
            if number == 2 and not place.cursor:
                raise ConnectionError("the box is shut")


INSTALLED = EntryPoints(
    EntryPoint(name=name, value=value, group=registry.GROUP)
    for name, value in [
        ("mailbox", f"{__name__}:Mailbox"),
        ("broken", f"{__name__}:Missing"),
        ("dirq", f"{__name__}:Mailbox"),
    ]
)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("common.plugins.entry_points", INSTALLED.select)
    registry.adapter_of.cache_clear()
    Mailbox.acknowledged = []
    yield
    registry.adapter_of.cache_clear()


@pytest.mark.usefixtures("installed")
def test_an_adapter_of_another_package_is_asked_like_any_other(operator: User) -> None:
    with pytest.raises(InvalidInput):
        save_source(operator, UsageSource(), {"name": "n", "kind": "mailbox", "address": "x"})
    given = {"name": "n", "kind": "mailbox", "address": "box:1", "secret": "SITE"}
    source = save_source(operator, UsageSource(), given)
    with pytest.raises(ConnectionError):
        run(source)
    source.refresh_from_db()
    assert (source.cursor, source.last_error) == ("2", "the box is shut")
    assert Mailbox.acknowledged == ["1", "2"]
    assert run(source).loaded == 1
    assert Mailbox.acknowledged == ["1", "2", "3"]


@pytest.mark.usefixtures("installed")
def test_built_in_adapters_cannot_be_replaced_and_broken_ones_are_said(operator: User) -> None:
    assert registry.adapter_of("dirq").__name__ == "accounting.sources.dirq"
    assert "mailbox" in registry.kinds()
    with pytest.raises(InvalidInput) as refused:
        save_source(operator, UsageSource(), {"name": "n", "kind": "broken", "address": "x"})
    assert "Missing" in refused.value.errors["kind"][0]
    with pytest.raises(ConfigurationError):
        run(make_source("unheard-of", "x"))


def test_a_secret_of_another_key_is_said(operator: User) -> None:
    source = save_source(operator, UsageSource(), {**GOOD, "secret": "hush"})
    with override_settings(FIELD_ENCRYPTION_KEY="another"), pytest.raises(ConfigurationError):
        run(source)
    source.refresh_from_db()
    assert "enter it again" in source.last_error
