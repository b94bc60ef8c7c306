"""What the operators tell everybody."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from common.clock import now


class News(models.Model):
    """A piece of news on the first page, from one moment until another or for good."""

    class Weight(models.TextChoices):
        PLAIN = "plain", _("news")
        WARNING = "warning", _("warning")

    title = models.CharField(max_length=200)
    text = models.TextField(blank=True, help_text=_("Markdown"))
    weight = models.CharField(max_length=8, choices=Weight, default=Weight.PLAIN)
    shown_from = models.DateTimeField(default=now)
    shown_until = models.DateTimeField(null=True, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )

    class Meta:
        verbose_name_plural = _("news")
        ordering = ("-shown_from", "-pk")
        indexes = (models.Index(fields=("-shown_from", "-id"), name="portal_news_shown"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(shown_until=None) | Q(shown_until__gt=F("shown_from")),
                name="portal_news_ends_after_it_begins",
                violation_error_message=_("News end after they begin."),
            ),
        )

    def __str__(self) -> str:
        return self.title
