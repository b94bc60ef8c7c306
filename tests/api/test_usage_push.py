"""Usage pushed by HTTP, as TEP centres and APEL clients do it."""

import json
import threading
import time

import pytest
from django.db import connection
from django.test import Client

from accounting.check import findings
from accounting.models import JobBill, MessageState, QuarantinedRecord, UsageMessage, UsageRecord
from jobs.models import Job
from people.services import create_api_key
from tests.api.runs import finished_job
from tests.factories import World, make_provider, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(world):
    return finished_job(world)


def tep(job: Job, number=1, cpu=3_600_000, **more):
    return {
        "id": f"record-{number}",
        "account": {"platform": "tep", "userName": job.owner.username, "ref": str(job.pk)},
        "compound": {"id": "c1", "name": "run", "type": "WPS-JOB"},
        "quantity": [{"id": "CPU_MILLISECONDS", "value": cpu}],
        "timestamp": "2026-01-25T07:16:38Z",
        "status": "NOMINAL",
        **more,
    }


def send(client, body, *, address="/api/usage-records/", content_type="application/json"):
    given = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.generic("POST", address, given, content_type=content_type)


def test_a_tep_record_is_taken_once_by_its_id(world, api, job):
    client = api(world.provider_owner, "usage")
    first = send(client, tep(job))
    assert first.status_code == 201, first.content
    assert first.json()["status"] == "created"
    assert (first.json()["records"], first.json()["matched"]) == (1, 1)
    same = send(client, json.dumps(tep(job), indent=2), content_type="text/plain")
    assert (same.status_code, same.json()["status"]) == (200, "duplicate")
    assert send(client, tep(job)).status_code == 200
    other = send(client, tep(job, cpu=1))
    assert other.status_code == 409
    assert other["Content-Type"] == "application/problem+json"
    assert JobBill.objects.get(pk=job.pk).charged == 2_000_000
    assert UsageRecord.objects.get().fields["quantity"][0]["value"] == 3_600_000


def test_the_address_of_the_partners(world, api, job):
    address = f"/accounting/partners/{world.provider.slug}/quantity/record"
    _, key = create_api_key(user=world.provider_owner, name="centre", scopes=["usage"])
    client = Client(headers={"Authorization": f"Bearer {key}"})
    assert send(client, tep(job), address=address).status_code == 201
    assert send(client, tep(job), address=f"{address}/").json()["status"] == "duplicate"
    packed = client.post(
        address, b"\x1f\x8b", content_type="application/json", headers={"Content-Encoding": "gzip"}
    )
    assert packed.status_code == 415
    assert "not compressed" in packed.json()["detail"]
    assert send(Client(), tep(job), address=address).status_code == 401
    assert send(api(world.provider_owner, "read"), tep(job), address=address).status_code == 403
    assert send(api(world.researcher), tep(job), address=address).status_code == 404
    nobody = "/accounting/partners/nobody/quantity/record"
    assert send(client, tep(job), address=nobody).status_code == 404
    assert client.get(address).status_code == 403  # the key may only report
    assert api(world.provider_owner).get(address).status_code == 405


def test_a_job_of_another_provider_forbids_the_whole(world, api, job):
    rival = api(make_provider(make_user()).owner)
    assert send(rival, tep(job)).status_code == 403
    own = tep(job, 2)
    own["account"]["ref"] = "my-own-name"
    answer = send(rival, [own, tep(job)])
    assert answer.status_code == 403
    assert answer.json()["code"] == "forbidden"
    assert not UsageRecord.objects.exists()
    assert not UsageMessage.objects.exists()
    assert send(rival, own).status_code == 201


def test_a_list_has_a_result_for_each(world, api, job):
    client = api(world.provider_owner)
    send(client, tep(job, 1))
    bad = tep(job, 4, timestamp="yesterday", quantity=[{"id": "CPU_MILLISECONDS", "value": -1}])
    several = [tep(job, 1), tep(job, 1, cpu=5), tep(job, 2), tep(job, 3), bad, tep(job, 2), 7]
    answer = send(client, several)
    assert answer.status_code == 207
    results = answer.json()["results"]
    assert [r["status"] for r in results] == [200, 409, 201, 201, 400, 200, 400]
    assert [r["result"] for r in results[:3]] == ["duplicate", "conflict", "created"]
    assert [r["index"] for r in results] == list(range(7))
    assert [r["id"] for r in results[:3]] == ["record-1", "record-1", "record-2"]
    assert {f["field"] for f in results[4]["faults"]} >= {"timestamp"}
    assert UsageRecord.objects.count() == 3
    again = send(client, several).json()
    assert [r["status"] for r in again["results"]] == [200, 409, 200, 200, 400, 200, 400]
    assert again["message"] is None
    assert send(client, []).json() == {"message": None, "results": []}
    assert findings() == []


@pytest.mark.parametrize("keep", [False, True])
def test_a_member_of_a_list_that_is_no_record_is_told_so_with_its_line(world, api, job, keep):
    """It cannot be corrected, so it is in no quarantine; the others are taken all the same."""
    world.provider.usage_keep_good = keep
    world.provider.save()
    client = api(world.provider_owner)
    broken = json.dumps(tep(job, 2, quantity="many"), indent=1)
    body = f'[\n{json.dumps(tep(job, 1))},\n\n"a", [1],\n{broken}]'
    answer = client.post("/api/usage-records/", body, content_type="application/json")
    assert answer.status_code == 207, answer.content
    good, text, listed, bad = answer.json()["results"]
    assert good["status"] == 201
    told = "is no record: a record is an object in braces, and here stands "
    for member, shown in ((text, '"a"'), (listed, "[1]")):
        [fault] = member["faults"]
        assert (fault["line"], fault["field"], fault["reason"]) == (4, "", told + shown)
    assert (text["status"], text["result"], bad["result"]) == (
        400,
        "rejected",
        "quarantined" if keep else "rejected",
    )
    [fault] = bad["faults"]
    assert (fault["field"], fault["reason"]) == ("quantity", "is not a list")
    assert body.splitlines()[fault["line"] - 1].lstrip().startswith('"quantity"')
    assert QuarantinedRecord.objects.count() == keep
    assert findings() == []


def test_who_agreed_on_keeping_the_good_finds_the_bad_in_quarantine(world, api, job):
    world.provider.usage_keep_good = True
    world.provider.save()
    client = api(world.provider_owner)
    answer = send(client, [tep(job, 1), tep(job, 2, timestamp="yesterday")])
    assert [r["status"] for r in answer.json()["results"]] == [201, 202]
    assert QuarantinedRecord.objects.get().text.startswith('{"id": "record-2"')
    text = (
        "APEL-individual-job-message: v0.3\n"
        f"Site: X\nLocalJobId: {job.pk}\nWallDuration: 60\nCpuDuration: 60\n"
        "StartTime: 1767225600\nEndTime: 1767231000\n%%\nSite: Y\n%%\n"
    )
    answer = send(client, text)
    assert answer.status_code == 201, answer.content
    partly = answer.json()
    assert (partly["state"], partly["records"], partly["quarantined"]) == ("PARTLY", 1, 1)
    assert {fault["field"] for fault in partly["errors"]} >= {"LocalJobId"}
    assert all(fault["line"] >= 9 for fault in partly["errors"])


def test_every_fault_is_told_with_its_place(world, api, job):
    client = api(world.provider_owner)
    body = json.dumps(tep(job, timestamp="yesterday", account={"userName": "ada"}), indent=1)
    answer = send(client, body)
    assert answer.status_code == 400
    faults = {fault["field"]: fault for fault in answer.json()["faults"]}
    assert faults["timestamp"]["line"] > 1
    assert "platform" in "".join(faults)
    assert UsageMessage.objects.get().state == MessageState.REJECTED


def test_content_decides_and_not_the_media_type(world, api, job):
    client = api(world.provider_owner)
    xml = (
        '<?xml version="1.0"?><ur:UsageRecord xmlns:ur="http://eu-emi.eu/namespaces/2012/11/'
        'computerecord"><ur:RecordIdentity ur:recordId="x"/></ur:UsageRecord>'
    )
    for body in (xml, "\ufeff" + xml, json.dumps(tep(job, 1)), "\n " + json.dumps(tep(job, 1))):
        statuses = {
            send(client, body.encode(), content_type=given).status_code
            for given in ("text/plain", "application/json", "application/xml", "x/y", "")
        }
        assert statuses in ({400}, {200, 201}, {200}), body


def test_an_operator_reports_for_whoever_it_concerns(world, api, job):
    client = api(world.operator)
    assert send(client, [tep(job, 1), tep(job, 2)]).status_code == 207
    assert set(UsageRecord.objects.values_list("provider_id", flat=True)) == {world.provider.pk}
    again = send(client, [tep(job, 1), tep(job, 2, cpu=1)]).json()
    assert [r["status"] for r in again["results"]] == [200, 409]


def test_more_records_than_a_message_may_have_are_not_even_read(world, api, job):
    started = time.process_time()
    answer = send(api(world.provider_owner), b"[" + b"{}," * 1_600_000 + b"{}]")
    assert answer.status_code == 400
    assert "at most 20000 records" in answer.content.decode()
    assert time.process_time() - started < 30  # one by one it takes minutes


def test_a_long_list_takes_no_more_queries_than_a_short_one(
    world, api, job, django_assert_max_num_queries
):
    client = api(world.provider_owner)
    with django_assert_max_num_queries(80):
        answer = send(client, [tep(job, number) for number in range(500)])
    assert {r["status"] for r in answer.json()["results"]} == {201}
    with django_assert_max_num_queries(20):
        answer = send(client, [tep(job, number) for number in range(500)])
    assert {r["status"] for r in answer.json()["results"]} == {200}


@pytest.mark.django_db(transaction=True)
def test_the_same_record_from_many_at_once_is_one(api):
    world = World()
    job = finished_job(world)
    _, key = create_api_key(user=world.provider_owner, name="centre", scopes=["usage"])
    statuses: list[int] = []

    def post(cpu: int) -> None:
        client = Client(headers={"Authorization": f"Bearer {key}"})
        statuses.append(send(client, tep(job, cpu=cpu)).status_code)
        connection.close()

    threads = [threading.Thread(target=post, args=(1000 * (n % 2 + 1),)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 200, 201, 409, 409, 409]
    assert UsageRecord.objects.count() == 1
    assert findings() == []
