"""People: users, groups with their members, and API keys."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """Whoever signs in. Operators are `is_staff`."""

    affiliation = models.CharField(_("affiliation"), max_length=200, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True, help_text="ISO 3166-1")

    class Meta(AbstractUser.Meta):
        pass

    @property
    def display_name(self) -> str:
        """The name to show to others."""
        return self.get_full_name() or self.username


class Group(models.Model):
    """People who work together and share a credit account."""

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="teams"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a member may do in a group."""

    MEMBER = "member", _("member")
    ADMIN = "admin", _("administrator")


class Membership(models.Model):
    """A user in a group."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role, default=Role.MEMBER)
    joined_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("user__username",)
        constraints = (
            models.UniqueConstraint(fields=("group", "user"), name="people_member_once"),
        )

    def __str__(self) -> str:
        return f"{self.user} in {self.group} ({self.role})"


class Scope(models.TextChoices):
    """What an API key may be used for."""

    READ = "read", _("read")
    RUN = "run", _("run services and spend credit")
    MANAGE = "manage", _("manage providers and groups")
    USAGE = "usage", _("send usage records")


class ApiKey(models.Model):
    """A secret for programs: shown once, stored as a hash, revocable.

    The key is `<prefix>.<secret>`; the prefix finds the row, the hash proves the rest.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, unique=True)
    secret_hash = models.CharField(max_length=64)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class MailState(models.TextChoices):
    """Where a mail of the outbox is."""

    WAITING = "waiting", _("waiting")
    SENT = "sent", _("sent")
    FAILED = "failed", _("given up")
    NOWHERE = "nowhere", _("not sent: no address")


class Mail(models.Model):
    """The outbox: written in the transaction of what it tells of, sent by a worker afterwards.

    `key` names the occasion and recipient: the same occasion is told once.
    """

    key = models.CharField(max_length=200, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="mails")
    subject = models.CharField(max_length=200)
    body = models.TextField()
    state = models.CharField(max_length=7, choices=MailState, default=MailState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-pk")
        indexes = (
            models.Index(
                fields=("due_at",), condition=models.Q(state="waiting"), name="people_mail_waiting"
            ),
        )

    def __str__(self) -> str:
        return f"{self.subject} to {self.user_id}"
