"""API keys and HTTP Basic, as every door sees them."""

import base64
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.core.management import CommandError, call_command

from common.clock import now
from common.errors import Conflict, InvalidInput, NotAuthenticated, NotFound, RateLimited
from people import services, tokens
from people.models import ApiKey, Scope
from people.tokens import user_of_request
from tests.factories import make_user

pytestmark = pytest.mark.django_db
PASSWORD = "a long pass phrase"


@pytest.fixture
def user():
    return make_user("ada")


@pytest.fixture
def key(user):
    return services.create_api_key(user=user, name="laptop", scopes=["read", "run"])


@pytest.fixture
def call(rf):
    cache.clear()

    def send(authorization="", user=None, **headers):
        request = rf.get("/wps", headers={"Authorization": authorization, **headers})
        request.user = user or AnonymousUser()
        return user_of_request(request)

    return send


def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def test_key_is_shown_once_and_stored_as_a_hash(user, key):
    row, text = key
    row.refresh_from_db()
    stored = [str(getattr(row, field.attname)) for field in row._meta.fields]
    secret = text.partition(".")[2]
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32
    assert not any(secret in value for value in stored)
    assert tokens.authenticate(text) == (user, row)
    other = services.create_api_key(user=user, name="other", scopes=["read"])[1]
    assert other.split(".")[0] != text.split(".")[0]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: "no key at all",
        lambda text: text + "x",
        lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"),
        lambda text: "tepaaaaaaaaaa." + text.partition(".")[2],
        lambda text: text.upper(),
        lambda text: text + "\n",
    ],
)
def test_any_other_text_is_refused(key, call, spoil):
    text = spoil(key[1])
    assert tokens.authenticate(text) is None
    if text.strip() != key[1]:
        with pytest.raises(NotAuthenticated):
            call(f"Bearer {text or 'x'}")


@pytest.mark.parametrize("ended", ["expired", "revoked", "inactive"])
def test_ended_keys_are_refused(user, key, call, monkeypatch, ended):
    row, text = key
    if ended == "revoked":
        services.revoke_api_key(user=user, key_id=row.pk)
    elif ended == "inactive":
        type(user).objects.filter(pk=user.pk).update(is_active=False)
    else:
        ApiKey.objects.filter(pk=row.pk).update(expires_at=now() + timedelta(hours=1))
        assert call(f"Bearer {text}").user == user
        later = now() + timedelta(hours=1)
        monkeypatch.setattr(tokens, "now", lambda: later)
    for header in (f"Bearer {text}", basic("ada", text)):
        with pytest.raises(NotAuthenticated):
            call(header)


def test_last_use_is_noted_at_most_once_a_minute(key, monkeypatch, django_assert_num_queries):
    row, text = key
    start = now()
    for seconds, written in ((0, True), (59, False), (60, True)):
        moment = start + timedelta(seconds=seconds)
        monkeypatch.setattr(tokens, "now", lambda moment=moment: moment)
        with django_assert_num_queries(2 if written else 1):
            tokens.authenticate(text)
        row.refresh_from_db()
        assert (row.last_used_at == moment) is written


@pytest.mark.parametrize("name", ["ada", "ADA", "ada@example.org", ""])
def test_basic_takes_the_key_as_password(user, key, call, name):
    caller = call(basic(name, key[1]))
    assert (caller.user, caller.key) == (user, key[0])
    assert caller.allows(Scope.RUN)
    assert not caller.allows(Scope.MANAGE)


def test_basic_refuses_the_key_of_another_user(key, call):
    make_user("bob")
    with pytest.raises(NotAuthenticated):
        call(basic("bob", key[1]))


@pytest.mark.parametrize("name", ["ada", "ada@example.org"])
def test_basic_takes_the_password(user, call, name):
    caller = call(basic(name, PASSWORD))
    assert (caller.user, caller.key) == (user, None)
    assert all(map(caller.allows, Scope.values))


@pytest.mark.parametrize(
    "header",
    [
        basic("ada", "wrong"),
        basic("nobody", PASSWORD),
        basic("", ""),
        basic("ada\x00", PASSWORD),
        "Basic !!!",
        "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
        "Basic",
        "Bearer",
        "Digest username=ada",
    ],
)
def test_wrong_credentials_are_refused_even_beside_a_session(user, call, header):
    with pytest.raises(NotAuthenticated):
        call(header, user=user)


def test_passwords_are_not_enough_for_everybody(user, call, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    with pytest.raises(NotAuthenticated, match="Confirm"):
        call(basic("ada", PASSWORD))
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    assert call(basic("ada", PASSWORD)).user == user
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    with pytest.raises(NotAuthenticated, match="second factor"):
        call(basic("ada", PASSWORD))


def test_guessing_passwords_is_limited(user, call):
    for _ in range(5):
        with pytest.raises(NotAuthenticated):
            call(basic("ada", "wrong"))
    with pytest.raises(RateLimited):
        call(basic("ada", PASSWORD))
    cache.clear()
    for _ in range(8):  # right ones are not counted
        assert call(basic("ada", PASSWORD)).user == user


def test_session_counts_without_a_header(user, call):
    assert call() is None
    assert call(user=user).user == user
    user.is_active = False
    assert call(user=user) is None


@pytest.mark.parametrize(
    ("headers", "may_run"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "http://testserver"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
    ],
)
def test_a_foreign_page_cannot_spend_what_the_session_may(user, key, call, headers, may_run):
    caller = call(user=user, **headers)
    assert caller.allows(Scope.READ)
    assert caller.allows(Scope.RUN) is may_run
    assert call(f"Bearer {key[1]}", **headers).allows(Scope.RUN)


@pytest.mark.parametrize(
    ("fields", "locator"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["read", "everything"]}, "scopes"),
        ({"expires_at": now() - timedelta(seconds=1)}, "expires_at"),
    ],
)
def test_wrong_keys_are_not_made(user, fields, locator):
    with pytest.raises(InvalidInput) as caught:
        services.create_api_key(user=user, **{"name": "n", "scopes": ["read"], **fields})
    assert caught.value.locator == locator
    assert not user.api_keys.exists()


def test_keys_are_the_users_own_and_not_too_many(user, key, monkeypatch):
    with pytest.raises(NotFound):
        services.revoke_api_key(user=make_user(), key_id=key[0].pk)
    monkeypatch.setattr(services, "MOST_KEYS", 1)
    with pytest.raises(Conflict):
        services.create_api_key(user=user, name="second", scopes=["read"])
    revoked = services.revoke_api_key(user=user, key_id=key[0].pk)
    assert services.revoke_api_key(user=user, key_id=key[0].pk).revoked_at == revoked.revoked_at
    services.create_api_key(user=user, name="second", scopes=["read"])


def test_the_command_prints_a_key_that_works(user, capsys):
    call_command("create_api_key", "ada@example.org", "--scope", "usage", "--days", "30")
    found, key = tokens.authenticate(capsys.readouterr().out.strip())
    assert (found, key.scopes) == (user, ["usage"])
    assert now() + timedelta(days=29) < key.expires_at < now() + timedelta(days=31)
    for arguments in (("nobody",), ("ada", "--days", "0"), ("ada", "--days", "9999999999")):
        with pytest.raises(CommandError):
            call_command("create_api_key", *arguments)
    assert user.api_keys.count() == 1
