"""Signing in: local accounts by user name or e-mail, and an OpenID provider by settings."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import urllib3
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from people.models import User
from tests.factories import make_user
from tests.people.oidc_issuer import running_issuer

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a long pass phrase"


@pytest.fixture(autouse=True)
def fresh_counters():
    cache.clear()


def signed_in_as(client):
    return User.objects.filter(pk=client.session.get("_auth_user_id")).first()


@pytest.mark.parametrize("login", ["ada", "ada@example.org", "ADA@example.org"])
def test_local_accounts_sign_in_by_name_or_address(client, login):
    user = make_user("ada")
    client.post(reverse("account_login"), {"login": login, "password": "wrong"})
    assert signed_in_as(client) is None
    client.post(reverse("account_login"), {"login": login, "password": PASSWORD})
    assert signed_in_as(client) == user


def test_sign_in_attempts_are_limited(client):
    make_user("ada")
    for _ in range(5):
        client.post(reverse("account_login"), {"login": "ada", "password": "wrong"})
    client.post(reverse("account_login"), {"login": "ada", "password": PASSWORD})
    assert signed_in_as(client) is None


def test_registration_needs_a_confirmed_address_and_can_be_closed(client, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    form = {
        "username": "grace",
        "email": "grace@example.org",
        "password1": "correct horse 9",
        "password2": "correct horse 9",
    }
    settings.REGISTRATION_OPEN = False
    client.post(reverse("account_signup"), form)
    assert not User.objects.filter(username="grace").exists()
    settings.REGISTRATION_OPEN = True
    client.post(reverse("account_signup"), form)
    assert User.objects.filter(username="grace").exists()
    assert signed_in_as(client) is None
    assert mail.outbox[0].to == ["grace@example.org"]


def test_nobody_takes_an_address_for_a_name(client):
    words = {"email": "mallory@example.org", "password1": PASSWORD, "password2": PASSWORD}
    client.post(reverse("account_signup"), {**words, "username": "grace@example.org"})
    assert not User.objects.filter(is_active=True).exists()
    client.post(reverse("account_signup"), {**words, "username": "mallory"})
    assert User.objects.get(is_active=True).username == "mallory"


def settings_from(environment):
    """What the environment makes of the settings that matter here."""
    code = (
        "import json; from portal.settings import base as b;"
        "print(json.dumps([b.SOCIALACCOUNT_PROVIDERS,"
        " [str(o) for o in b.CONTENT_SECURITY_POLICY['DIRECTIVES']['form-action']]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def at_the_issuer(address):
    """Follow the browser to the identity provider; where that sends it back to."""
    return urllib3.request("GET", address, redirect=False, timeout=10).headers["Location"]


def test_an_openid_provider_needs_only_settings(client, settings, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with running_issuer("portal", "s3cret") as issuer:
        providers, form_action = settings_from(
            {
                "OIDC_SERVER_URL": issuer.url,
                "OIDC_CLIENT_ID": "portal",
                "OIDC_CLIENT_SECRET": "s3cret",
                "OIDC_NAME": "Example Institute",
            }
        )
        assert issuer.url in form_action
        settings.SOCIALACCOUNT_PROVIDERS = providers
        settings.REGISTRATION_OPEN = False  # the issuer decides who may come
        assert b"Example Institute" in client.get(reverse("account_login")).content

        issuer.claims |= {
            "preferred_username": "grace",
            "email": "grace@institute.example",
            "email_verified": True,
            "given_name": "Grace",
        }
        login = reverse("openid_connect_login", args=["oidc"])
        sent = client.post(login)
        assert sent["Location"].startswith(f"{issuer.url}/authorize?")
        assert "code_challenge_method=S256" in sent["Location"]
        back = at_the_issuer(sent["Location"])
        assert client.get(back).status_code == 302
        user = signed_in_as(client)
        assert (user.username, user.email) == ("grace", "grace@institute.example")
        assert user.first_name == "Grace"
        assert not user.has_usable_password()

        client.logout()
        client.get(at_the_issuer(client.post(login)["Location"]))
        assert signed_in_as(client) == user
        assert User.objects.filter(is_active=True).count() == 1


def test_an_address_at_the_issuer_does_not_open_a_local_account(client, settings, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    victim = make_user("ada")
    with running_issuer("portal", "s3cret") as issuer:
        settings.SOCIALACCOUNT_PROVIDERS = settings_from(
            {
                "OIDC_SERVER_URL": issuer.url,
                "OIDC_CLIENT_ID": "portal",
                "OIDC_CLIENT_SECRET": "s3cret",
            }
        )[0]
        issuer.claims |= {"email": victim.email, "email_verified": True}
        login = reverse("openid_connect_login", args=["oidc"])
        client.get(at_the_issuer(client.post(login)["Location"]))
        assert signed_in_as(client) != victim

        forged = at_the_issuer(client.post(login)["Location"]).replace("code=", "code=x")
        client.get(forged)
        assert signed_in_as(client) is None


def test_a_user_ends_the_sessions_of_other_browsers(client):
    make_user("ada")
    other = Client(HTTP_USER_AGENT="Lost laptop <b>")
    for browser in (client, other):
        browser.post(reverse("account_login"), {"login": "ada", "password": PASSWORD})
    page = client.get(reverse("usersessions_list")).content.decode()
    assert "Lost laptop &lt;b&gt;" in page
    client.post(reverse("usersessions_list"))
    assert signed_in_as(other) is None
    assert signed_in_as(client) is not None
    assert "Lost laptop" not in client.get(reverse("usersessions_list")).content.decode()
