"""How the portal uses django-allauth."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _


class AccountAdapter(DefaultAccountAdapter):
    """Local accounts, where registration may be closed."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.REGISTRATION_OPEN)

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """No “@”: whoever gives credit to an e-mail address must not find a name that looks so."""
        if "@" in username:
            raise ValidationError(_("A user name cannot have an “@” in it."))
        return str(super().clean_username(username, shallow=shallow))


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """Accounts of an identity provider, which decides who may come even to a closed portal."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return True
