"""WPS of one application: its selection alone, for those who may open it."""

from __future__ import annotations

import pytest

from jobs.models import Job
from providers.process import ExecuteRequest, LiteralValue, OutputRequest
from tests.factories import ECHO, World, make_app, make_provider, make_service
from tests.wps_proxy.conftest import MakeDoor, only_job, refusal, texts, work
from tests.wps_proxy.writing import of_job, to_xml2

CAPS = {"service": "WPS", "request": "GetCapabilities"}


@pytest.fixture
def other(world: World) -> str:
    """Another application that everybody may open, with another service."""
    service = make_service(make_provider(world.provider_owner, slug="another"), ECHO)
    return make_app(world.operator, (service,)).slug


def test_the_list_has_its_selection_alone(world: World, make_door: MakeDoor, other: str) -> None:
    for suffix in ("", "/2.0"):
        door = make_door(path=f"/apps/{world.app.slug}/wps{suffix}")
        caps = door.get(**CAPS)
        own = f"{world.provider.slug}.eo:all.kinds"
        assert set(texts(caps.xml, "Identifier")) == {own}
        links = {e.get("{http://www.w3.org/1999/xlink}href") for e in caps.xml.iter()} - {None}
        address = f"http://testserver/apps/{world.app.slug}/wps{suffix}"
        assert links == {address, f"{address}?"}
        version = "2.0.0" if suffix else "1.0.0"
        query = {"service": "WPS", "version": version, "request": "DescribeProcess"}
        assert door.get(**query, identifier=own).status_code == 200
        for elsewhere in ("another.echo", "portal.echo"):
            response = door.get(**query, identifier=elsewhere)
            assert response.status_code == 400
        listed = make_door(path=f"/apps/{other}/wps{suffix}").get(**CAPS)
        assert set(texts(listed.xml, "Identifier")) == {"another.echo"}


def test_who_may_not_open_it_learns_nothing(world: World, make_door: MakeDoor) -> None:
    for suffix in ("", "/2.0"):
        closed = make_door(world.stranger, path=f"/apps/{world.app.slug}/wps{suffix}").get(**CAPS)
        unknown = make_door(world.stranger, path=f"/apps/unknown/wps{suffix}").get(**CAPS)
        assert closed.status_code == unknown.status_code == 404
        assert closed.body == unknown.body
        anonymous = make_door(path=f"/apps/{world.app.slug}/wps{suffix}")
        anonymous.headers = {}
        assert refusal(anonymous.get(**CAPS))[0] == 401


def test_a_run_belongs_to_the_application(world: World, make_door: MakeDoor, other: str) -> None:
    door = make_door(path=f"/apps/{world.app.slug}/wps")
    response = door.execute(storeExecuteResponse="true", status="true")
    job = only_job()
    assert job.application == world.app
    location = response.xml.get("statusLocation").removeprefix("http://testserver")
    assert location == f"/apps/{world.app.slug}/wps/jobs/{job.pk}/status.xml"
    work()
    assert texts(door.raw_get(location).xml, "ProcessSucceeded")
    assert make_door().raw_get(location.removeprefix(f"/apps/{world.app.slug}")).status_code == 200
    assert door.raw_get(location.replace(world.app.slug, other)).status_code == 404
    second = make_door(path=f"/apps/{world.app.slug}/wps/2.0")
    assert texts(second.post(of_job("GetStatus", str(job.pk))).xml, "Status") == ["Succeeded"]
    foreign = make_door(path=f"/apps/{other}/wps/2.0")
    assert refusal(foreign.post(of_job("GetStatus", str(job.pk))))[1] == "NoSuchJob"
    request = ExecuteRequest(
        second.identifier, (LiteralValue("mode", "fast"),), (OutputRequest("mean"),)
    )
    second.post(to_xml2(request, mode="async"))
    assert Job.objects.filter(application=world.app).count() == 2
    assert refusal(foreign.post(to_xml2(request, mode="async")))[1] == "NoSuchProcess"


def test_what_no_text_of_a_database_holds_is_refused_in_the_words_of_the_door(
    world: World, make_door: MakeDoor
) -> None:
    for suffix in ("", "/2.0"):
        path = f"/apps/{world.app.slug}/wps{suffix}"
        response = make_door(path=path).raw_get(f"{path}?service=WPS&request=%00")
        assert refusal(response) == (400, "InvalidParameterValue", "request")
