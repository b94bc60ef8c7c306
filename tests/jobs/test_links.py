"""Results as inputs of other runs: providers get a link, and nobody what is not theirs."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import signing
from django.test import Client

from common.errors import InvalidInput
from jobs import links, sharing
from jobs.models import JobOutput
from jobs.reruns import rerun
from providers.process import (
    ComplexDomain,
    Format,
    InputDescription,
    OutputDescription,
    ProcessDescription,
    ReferenceValue,
)
from tests.factories import World, make_service, make_user
from tests.fakes.wps_server import FakeWps
from tests.jobs.conftest import Drain
from tests.jobs.test_copies import DATA, finished
from tests.jobs.test_copies import world as _world
from tests.jobs.test_lifecycle import run

pytestmark = pytest.mark.django_db
world = _world
NETCDF = ComplexDomain((Format("application/x-netcdf"),))
NEXT = ProcessDescription(
    "next",
    "Next",
    inputs=(InputDescription("file", NETCDF),),
    outputs=(OutputDescription("file", NETCDF),),
    store_supported=True,
    status_supported=True,
)


@pytest.fixture
def output(world: World, wps: FakeWps, drain: Drain) -> JobOutput:
    wps.add(NEXT, lambda given: {"file": given["file"][0].encode()})
    world.next = make_service(world.provider, NEXT)  # type: ignore[attr-defined]
    world.app.services.add(world.next)  # type: ignore[attr-defined]
    return finished(world, drain)


@pytest.mark.parametrize(
    "address",
    [
        "http://testserver/jobs/{job}/outputs/1",
        "http://testserver/api/jobs/{job}/outputs/1/content/",
        "http://testserver/wps/jobs/{job}/outputs/1",
    ],
)
def test_the_provider_gets_a_link_that_opens_this_output_alone_for_a_while(
    world: World, wps: FakeWps, drain: Drain, output: JobOutput, address: str, settings: Any
) -> None:
    href = address.format(job=output.job_id)
    job = run(world, service=world.next, inputs=(ReferenceValue("file", href),))  # type: ignore[attr-defined]
    drain()
    job.refresh_from_db()
    assert job.state == "COMPLETED"
    assert job.input_values[0].href == href  # type: ignore[union-attr]
    sent = next(j for j in wps.jobs.values() if j.process.identifier == "next")
    link = sent.outputs["file"].decode()  # type: ignore[union-attr]
    assert link.startswith("http://testserver/results/")
    provider = Client()
    answer = provider.get(link.removeprefix("http://testserver"))
    assert b"".join(answer.streaming_content) == DATA
    assert answer["Content-Disposition"].startswith("attachment")
    part = provider.get(link.removeprefix("http://testserver"), headers={"Range": "bytes=0-9"})
    assert (part.status_code, b"".join(part.streaming_content)) == (206, DATA[:10])
    assert provider.get(link.removeprefix("http://testserver") + "x").status_code == 404
    settings.RESULT_LINK_SECONDS = -1
    assert provider.get(link.removeprefix("http://testserver")).status_code == 404


def test_what_one_may_not_see_is_no_input(world: World, output: JobOutput) -> None:
    for address in (
        f"/jobs/{output.job_id}/outputs/1",
        f"/jobs/{output.job_id}/outputs/99999999999999999999",
        f"/jobs/{output.job_id}/",
        "/admin/",
        "/nothing",
        links.signed_path(output) + "x",
    ):
        with pytest.raises(InvalidInput) as caught:
            run(
                world,
                actor=_member(world) if address.endswith("/outputs/1") else world.researcher,
                service=world.next,  # type: ignore[attr-defined]
                inputs=(ReferenceValue("file", f"http://testserver{address}"),),
            )
        assert caught.value.locator == "file"


def _member(world: World) -> Any:
    member = make_user()
    world.group.memberships.create(user=member)
    return member


def test_a_share_that_ended_before_the_run_was_sent_refuses_it(
    world: World, drain: Drain, output: JobOutput
) -> None:
    member = _member(world)
    share = sharing.share(actor=world.researcher, job=output.job, username=member.username)
    href = f"http://testserver/jobs/{output.job_id}/outputs/1"
    job = run(world, actor=member, service=world.next, inputs=(ReferenceValue("file", href),))  # type: ignore[attr-defined]
    sharing.unshare(actor=world.researcher, job=output.job, share_id=share.pk)
    drain()
    job.refresh_from_db()
    assert job.state == "SUBMIT_REJECTED"
    assert "can no longer be seen" in job.error


def test_a_token_of_something_else_opens_nothing(output: JobOutput) -> None:
    for token in (signing.dumps(output.pk), signing.dumps(-1, salt=links._SALT), "", "a" * 5000):
        assert Client().get(f"/results/{token or '-'}").status_code == 404


def test_once_more_with_other_inputs_at_a_new_price(world: World, drain: Drain) -> None:
    first = finished(world, drain).job
    world.set_price(3_000_000)
    second = rerun(
        actor=world.researcher,
        job=first,
        changed={"message": "other"},
        account=None,
        door="rest",
    )
    assert second.cloned_from == first
    assert [v.value for v in second.input_values] == ["other"]  # type: ignore[union-attr]
    assert (first.quote.total, second.quote.total) == (2_000_000, 3_000_000)
    again = rerun(actor=world.researcher, job=second, changed={}, account=None, door="rest")
    assert again.input_values == second.input_values
    with pytest.raises(InvalidInput):
        rerun(actor=world.researcher, job=first, changed={"nothing": 1}, account=None, door="rest")


def test_the_form_is_filled_and_says_of_what(world: World, drain: Drain) -> None:
    first = finished(world, drain).job
    browser = Client()
    browser.force_login(world.researcher)
    address = f"/services/{world.service.public_identifier}/"
    page = browser.get(f"{address}?from={first.pk}").content.decode()
    assert f'name="from" value="{first.pk}"' in page
    browser.force_login(world.stranger)
    assert browser.get(f"{address}?from={first.pk}").status_code == 404
