"""Usage: where it is sent, and the sources that it is fetched from."""

from __future__ import annotations

from typing import Any

from accounting.models import QuarantinedRecord, UsageMessage, UsageName, UsageRecord, UsageSource
from accounting.usage.importer import import_message
from accounting.usage.records import Sender
from tests.permissions.api import APEL
from tests.permissions.scene import (
    OPERATOR,
    PROVIDER,
    Row,
    Scene,
    door,
    for_provider,
    page,
    provider,
)

FOLDER = {"name": "New", "kind": "dirq", "address": "/var/spool/usage"}


def source(s: Scene) -> dict[str, Any]:
    made, _ = UsageSource.objects.get_or_create(provider_id=s.provider.pk, **FOLDER)
    return {"source_id": made.pk}


def partner(s: Scene) -> dict[str, Any]:
    return {"provider": s.provider.slug}


def orphan(s: Scene) -> dict[str, Any]:
    """A record that fits no job."""
    send = {"source": "test", "sender": Sender(s.provider.pk, keep_good=True)}
    import_message(APEL.replace("job-1", "nobody").encode(), **send)
    return {"record_id": UsageRecord.objects.get(local_job_id="nobody").pk}


def quarantined(s: Scene) -> dict[str, Any]:
    body = APEL.replace("WallDuration: 60", "WallDuration: x").encode()
    import_message(body, source="test", sender=Sender(s.provider.pk, keep_good=True))
    return {"row_id": QuarantinedRecord.objects.get().pk}


def name(s: Scene) -> dict[str, Any]:
    place = {"provider_id": s.provider.pk, "kind": "user", "name": "ada"}
    made, _ = UsageName.objects.get_or_create(**place, defaults={"account": s.account})
    return {"name_id": made.pk}


def named(s: Scene) -> dict[str, Any]:
    place = {"provider": s.provider.slug, "account": s.account.pk}
    return {**place, "kind": "group", "name": "vo"}


def named_on_page(s: Scene) -> dict[str, Any]:
    payer = {"payer_kind": "group", "payer": s.group.slug}
    return {"provider": s.provider.pk, "kind": "group", "name": "vo", **payer}


def message(s: Scene) -> dict[str, Any]:
    quarantined(s)
    return {"message_id": UsageMessage.objects.get(state="PARTLY").pk}


OWN = {PROVIDER: 200, OPERATOR: 200}
USAGE = (
    Row("pages:usage", page(404, **OWN)),
    Row("pages:usage_records", page(404, **OWN)),
    Row("pages:usage_quarantine", page(404, **OWN)),
    Row("pages:usage_messages", page(404, **OWN)),
    Row("pages:usage_missing", page(404, **OWN)),
    Row("pages:usage_months", page(404, **OWN)),
    Row("pages:usage_message", page(404, **OWN), arguments=message),
    Row("pages:usage_message_act", page(404, **for_provider(302)), "POST", message),
    Row("pages:usage_rematch", page(404, **for_provider(302)), "POST"),
    Row(
        "pages:usage_quarantined",
        page(404, **for_provider(302)),
        "POST",
        quarantined,
        lambda _: {"action": "drop"},
    ),
    Row(
        "pages:usage_record",
        page(404, provider=403, operator=302),
        "POST",
        orphan,
        lambda s: {"action": "assign", "job": s.done.pk},
    ),
    Row("pages:revenue", page(404, **OWN), arguments=provider),
    Row("api:revenue", door(404, **OWN), arguments=provider),
    Row("api:usage-overview", door(404, **OWN)),
    Row("api:usage-missing", door(404, **OWN)),
    Row("api:usage-messages", door(404, **OWN)),
    Row("api:usage-message", door(404, **OWN), arguments=message),
    Row("api:usage-message-retry", door(404, **OWN), "POST", message),
    Row("api:usage-message-drop", door(404, **for_provider(409)), "POST", message),
    Row("api:usage-quarantine", door(404, **OWN)),
    Row("api:usage-quarantined-drop", door(404, **OWN), "POST", quarantined),
    Row(
        "api:usage-quarantined-load",
        door(404, **for_provider(400)),
        "POST",
        quarantined,
        lambda _: {"text": "still wrong"},
    ),
    Row("api:usage-records-rematch", door(404, **OWN), "POST"),
    Row(
        "api:usage-record-assign",
        door(404, provider=403, operator=200),
        "POST",
        orphan,
        lambda s: {"job": str(s.done.pk)},
    ),
    Row("api:usage-record-release", door(404, provider=403, operator=200), "POST", orphan),
    Row("partner_records", door(404, **for_provider(201)), "POST", partner, lambda _: APEL),
    Row("partner_records", door(405), arguments=partner),
    Row("pages:usage_sources", page(404, operator=200)),
    Row("pages:usage_source_new", page(404, operator=200)),
    Row("pages:usage_source_new", page(404, operator=302), "POST", body=lambda _: FORM),
    Row("pages:usage_source", page(404, operator=200), arguments=source),
    Row("pages:usage_source", page(404, operator=302), "POST", source, lambda _: FORM),
    Row(
        "pages:usage_source_act",
        page(404, operator=302),
        "POST",
        source,
        lambda _: {"action": "delete"},
    ),
    Row("api:usage-months", door(404, **OWN)),
    Row("api:usage-record", door(404, **OWN), arguments=orphan),
    Row("api:usage-quarantined", door(404, **OWN), arguments=quarantined),
    Row("api:usage-names", door(404, operator=200)),
    Row("api:usage-names", door(404, operator=201), "POST", body=named),
    Row("api:usage-name", door(404, operator=200), arguments=name),
    Row("api:usage-name", door(404, operator=204), "DELETE", name),
    Row("pages:usage_names", page(404, operator=200)),
    Row("pages:usage_names", page(404, operator=302), "POST", body=named_on_page),
    Row("pages:usage_name", page(404, operator=302), "POST", name, lambda _: {"action": "remove"}),
    Row("api:usage-sources", door(404, operator=200)),
    Row("api:usage-sources", door(404, operator=201), "POST", body=lambda _: FOLDER),
    Row("api:usage-source", door(404, operator=200), arguments=source),
    Row("api:usage-source", door(404, operator=200), "PATCH", source, lambda _: {"name": "Other"}),
    Row("api:usage-source", door(404, operator=204), "DELETE", source),
    Row("api:usage-source-look", door(404, operator=202), "POST", source),
)
FORM = {**FOLDER, "every_seconds": "60"}
