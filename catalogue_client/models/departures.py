"""What harvesters must be told to forget."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from catalogue_client.models.catalogue import Item


class Departure(models.Model):
    """An item that an audience could see and cannot see any more.

    Only those who could see it learn that it is gone; what somebody never saw leaves no trace. The
    row keeps the number and the moment of that change, as the item's own move on when it is changed
    out of their sight. It goes away when the item comes back.
    """

    item = models.ForeignKey(Item, models.CASCADE, related_name="departures")
    audience = models.CharField(max_length=30, help_text=_("as catalogue_client.access names them"))
    sequence = models.BigIntegerField(help_text=_("number of the change that took it away"))
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("item", "audience"), name="catalogue_departure_once"),
        )
        indexes = (models.Index(fields=("audience", "sequence"), name="catalogue_departures"),)

    def __str__(self) -> str:
        return f"{self.item_id}: {self.audience}"
