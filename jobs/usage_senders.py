"""Who sends usage, as the importer knows them: what was agreed stands in the provider's row."""

from __future__ import annotations

from collections import Counter

from accounting.usage.records import Sender
from providers.models import Provider, ProviderState


def sender_of(provider: Provider | None) -> Sender:
    """The provider as a sender of usage; None is a sender that is not known."""
    if provider is None:
        return Sender()
    return Sender(
        provider_id=provider.pk,
        keep_good=provider.usage_keep_good,
        without_jobs=provider.usage_without_jobs,
    )


def sender_of_id(provider_id: int | None) -> Sender:
    """The provider of that id as a sender of usage; one that is not there has agreed to nothing."""
    known = Provider.objects.filter(pk=provider_id or 0).first()
    return sender_of(known) if known is not None else Sender(provider_id)


def provider_by_site() -> dict[str, int]:
    """Site → provider, where a site is of one provider only.

    Whoever registers a provider names its site: it counts when operators have approved that.
    """
    known = Provider.objects.exclude(usage_site="").exclude(state=ProviderState.PENDING)
    rows = list(known.values_list("usage_site", "pk"))
    often = Counter(site for site, _pk in rows)
    return {site: pk for site, pk in rows if often[site] == 1}
