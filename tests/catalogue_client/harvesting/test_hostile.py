"""Catalogues that attack whoever reads them: no page of theirs is taken in, and nothing leaks."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogue_client.harvesting import running, services, storing
from catalogue_client.models import HarvestRun, HarvestSource, Item, RunMode
from catalogue_client.sources.adapters.iso_records import iso_record
from catalogue_client.sources.records import NoRecordError, record_of
from common.clock import now
from common.xml import parse
from people.models import User
from tests.catalogue_client.harvesting.conftest import CENTRE, harvest
from tests.catalogue_client.sources.test_hostile import HOSTILE, SECRETS
from tests.factories import make_user
from tests.fakes.catalogues import FakeCatalogue


@pytest.mark.parametrize("kind", ["oai-pmh", "static-stac"])
def test_whatever_it_answers_is_an_error_of_the_run(
    owner: User, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "PAGE_SECONDS", 1.0)
    source = services.register(actor=owner, centre=CENTRE, kind="push", name=kind)
    wrong = {}
    with FakeCatalogue() as there:
        facts = {"prefix": "oai_dc", "granularity": 1}
        for name, reply in HOSTILE.items():
            HarvestRun.objects.all().delete()
            HarvestSource.objects.update(kind=kind, url=f"{there.base}/hostile", facts=facts)
            there.restore()
            there.reply("other", reply(), times=None)
            begun = time.monotonic()
            run = harvest(source)
            spent = time.monotonic() - begun
            if (run.failures, run.pages) != (1, 0) or spent > 5:
                wrong[name] = (run.failures, run.pages, spent)
            HarvestRun.objects.update(failures=running.MOST_TRIES - 1)
            said = " ".join([harvest(source).error, source.last_error, *run.notes])
            if not source.last_error or any(secret in said for secret in SECRETS):
                wrong[name] = said
    assert wrong == {}
    assert not Item.objects.exists()


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
MEMBERS = ("id", "collection", "geometry", "bbox", "properties", "links", "assets", "type")
TIMES = ("datetime", "start_datetime", "updated", "providers", "keywords", "gsd", "title")


@pytest.mark.django_db
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    given_members=st.dictionaries(st.sampled_from(MEMBERS), ANY),
    properties=st.dictionaries(st.sampled_from(TIMES) | st.text(max_size=9), ANY),
)
def test_any_record_is_taken_in_or_told_of(given_members: dict, properties: dict) -> None:
    source = HarvestSource.objects.first() or services.register(
        actor=make_user(), centre=CENTRE, kind="push"
    )
    run = HarvestRun.objects.create(source=source, mode=RunMode.PUSH, started_at=now())
    document = {"id": "a", "properties": properties, **given_members}
    try:
        found = record_of(document, "")
    except NoRecordError:
        return
    faults = storing.store(run, [found])
    assert (run.seen, run.bad) == (1, len(faults))
    assert run.added + run.changed + run.unchanged == 1 - len(faults)


@pytest.mark.parametrize(
    "inside",
    [
        "<gmd:fileIdentifier/>",
        "<gmd:fileIdentifier>a</gmd:fileIdentifier><gmd:identificationInfo><gmd:x/>"
        "</gmd:identificationInfo><gmd:dateStamp>yesterday</gmd:dateStamp>",
        "<gmd:fileIdentifier>a</gmd:fileIdentifier><gmd:EX_GeographicBoundingBox>"
        "<gmd:westBoundLongitude>NaN</gmd:westBoundLongitude></gmd:EX_GeographicBoundingBox>"
        "<gmd:distributionInfo><gmd:CI_OnlineResource><gmd:URL>javascript:x</gmd:URL>"
        "</gmd:CI_OnlineResource></gmd:distributionInfo>",
    ],
)
def test_odd_metadata_is_read_or_refused(inside: str) -> None:
    text = (
        f'<gmd:MD_Metadata xmlns:gmd="http://www.isotc211.org/2005/gmd">{inside}</gmd:MD_Metadata>'
    )
    try:
        found = iso_record(parse(text.encode()), "https://centre.example/")
    except NoRecordError:
        return
    assert found.id == "a"
    assert found.document["links"] == []
    assert found.bbox is None
