"""A provider's script: register, discover, switch on, set prices, report usage."""

import pytest

from accounting.models import JobBill, UsageRecord
from jobs.models import Job
from jobs.worker import run_one
from providers.models import Provider
from tests.api.runs import finished_job
from tests.factories import make_provider, make_service, make_user
from tests.fakes.wps_server import FakeWps

pytestmark = pytest.mark.django_db
MANY = 30


@pytest.fixture
def owner():
    return make_user("centre-owner")


def work():
    """What is due, as a worker does it."""
    while run_one(owner="test"):
        pass


def test_registered_by_its_address_and_read_by_a_worker(owner, api):
    client = api(owner)
    with FakeWps() as wps:
        body = {"slug": "centre", "name": "Centre", "url": wps.url, "password": "hush"}
        answer = client.post("/api/providers/", body)
        assert answer.status_code == 201, answer.content
        provider, address = answer.json(), answer["Location"]
        assert (provider["state"], provider["discovery_error"]) == ("pending", "")
        assert "hush" not in answer.content.decode()
        work()
        runs = client.get(f"{address}discovery/").json()["results"]
        assert [run["added"] for run in runs] == [1]
        asked = client.post(f"{address}discovery/")
        assert (asked.status_code, asked.json()) == (202, {"reading": "waiting"})
        work()
    client.post(f"{address}discovery/")
    work()
    runs = client.get(f"{address}discovery/").json()["results"]
    assert [bool(run["error"]) for run in runs] == [True, False, False]


def test_services_are_switched_on_and_the_provider_approved(owner, api):
    client, operator = api(owner), api(make_user(is_staff=True))
    address = "/api/providers/centre/"
    make_service(make_provider(owner, slug="centre", state="pending"), enabled=False)
    (service,) = client.get(f"{address}services/").json()["results"]
    assert (service["identifier"], service["enabled"]) == ("echo", False)
    one = f"{address}services/{service['id']}/"
    changed = client.patch(one, {"enabled": True, "expected_wall_seconds": 120}).json()
    assert (changed["enabled"], changed["expected_wall_seconds"]) == (True, 120)
    assert client.patch(one, {"expected_cpu_seconds": 0}).status_code == 400
    assert client.patch(one, {"enabled": "perhaps"}).status_code == 400
    assert client.get(f"{address}services/{10**30}/").status_code == 404

    assert client.get("/api/services/?provider=centre").json()["results"] == []
    assert client.post(f"{address}approval/").status_code == 403
    assert operator.post(f"{address}approval/").json()["state"] == "approved"
    assert [
        s["identifier"] for s in client.get("/api/services/?provider=centre").json()["results"]
    ] == ["centre.echo"]
    assert operator.post(f"{address}suspension/").json()["state"] == "suspended"
    assert client.get("/api/services/?provider=centre").json()["results"] == []


def test_prices_are_published_whole(world, api):
    client = api(world.provider_owner)
    address = f"/api/providers/{world.provider.slug}/prices/"
    first = client.get(address).json()
    assert (first["version"], first["prices"][0]["price"]) == (1, "2.00")
    prices = [
        {"unit": "CPU_CORE_HOUR", "price": "0.5", "free_quantity": 60},
        {"service": world.service.pk, "unit": "JOB", "price": "1", "minimum": "0.1"},
    ]
    second = client.put(address, {"prices": prices}).json()
    assert second["version"] == 2
    assert [(p["service"], p["unit"], p["price"]) for p in second["prices"]] == [
        (None, "CPU_CORE_HOUR", "0.50"),
        (world.service.pk, "JOB", "1.00"),
    ]
    for wrong in (
        [{"unit": "TON", "price": "1"}],
        [{"unit": "JOB", "price": "-1"}],
        [{"unit": "JOB", "price": "1", "service": 10**30}],
        [{"unit": "JOB", "price": "1", "unit_size": 0}],
        [{"unit": "JOB", "price": "1"}] * 2,
        "free",
    ):
        assert client.put(address, {"prices": wrong}).status_code == 400
    assert client.get(address).json() == second
    # Who may use its services may read the prices; nobody else knows of it.
    assert api(world.researcher).get(address).json()["prices"] == second["prices"]
    assert api(world.researcher).put(address, {"prices": []}).status_code == 403
    assert api(world.stranger).get(address).status_code == 404
    assert api(world.stranger).put(address, {"prices": []}).status_code == 404


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"slug": "a.b"}, 400),
        ({"slug": "Centre"}, 400),
        ({"name": "x" * 201}, 400),
        ({"username": "a:b"}, 400),
        ({"url": "https://no-such-host.invalid/wps"}, 502),
        ({"url": "ftp://example.org/"}, 400),
        ({"url": "not an address"}, 400),
        ({"protocol": "telepathy"}, 400),
    ],
)
def test_wrong_registrations_are_refused(owner, api, change, status):
    body = {"slug": "centre", "name": "Centre", "url": "https://wps.example.org/wps", **change}
    assert api(owner).post("/api/providers/", body).status_code == status
    assert not Provider.objects.filter(owner=owner).exists()


def test_providers_are_shown_to_owner_and_operators_only(world, api):
    address = f"/api/providers/{world.provider.slug}/"
    for user in (world.provider_owner, world.operator):
        assert api(user).get(address).json()["url"] == world.url
        assert api(user).get("/api/providers/").json()["count"] == 1
    for user in (world.researcher, world.admin, world.stranger):
        client = api(user)
        assert client.get("/api/providers/").json()["count"] == 0
        for part in ("", "services/", "discovery/"):
            assert client.get(f"{address}{part}").status_code == 404
        for part in ("discovery/", "approval/", "suspension/"):
            assert client.post(f"{address}{part}").status_code == 404


def test_lists_take_the_same_queries_whatever_their_length(
    world, api, django_assert_max_num_queries, django_assert_num_queries
):
    from tests.factories import make_app, make_service

    client = api(world.provider_owner)
    offered = f"/api/providers/{world.provider.slug}/services/"
    addresses = ("/api/providers/", offered, "/api/services/", "/api/applications/")

    def more(number):
        make_provider(world.provider_owner)
        description = type(world.description)(f"echo{number}", "Echo", "", "1")
        make_app(world.operator, (make_service(world.provider, description),))

    more(0)
    client.get(addresses[0])
    taken = []
    for address in addresses:
        with django_assert_max_num_queries(5) as one:
            client.get(address)
        taken.append(len(one))
    for number in range(1, MANY):
        more(number)
    for address, queries in zip(addresses, taken, strict=True):
        with django_assert_num_queries(queries):
            assert client.get(address).json()["count"] >= MANY


# --- usage records -------------------------------------------------------------------------


def apel(job_id, *, wall=3600, site="ANY"):
    return (
        "APEL-individual-job-message: v0.3\n"
        f"Site: {site}\nSubmitHost: wps.example.org\nLocalJobId: {job_id}\n"
        f"WallDuration: {wall}\nCpuDuration: {wall}\nProcessors: 1\nNodeCount: 1\n"
        "StartTime: 1767225600\nEndTime: 1767231000\n%%\n"
    )


@pytest.fixture
def finished(world):
    return finished_job(world)


def send(client, body, query="", content_type="text/plain"):
    return client.generic("POST", f"/api/usage-records/{query}", body, content_type=content_type)


def test_usage_is_taken_once_and_settles_the_job(world, api, finished):
    client = api(world.provider_owner, "usage", "read")
    first = send(client, apel(finished.pk))
    assert first.status_code == 201, first.content
    assert (first.json()["records"], first.json()["matched"]) == (1, 1)
    again = send(client, apel(finished.pk))
    assert (again.status_code, again.json()["duplicate"]) == (200, True)
    assert JobBill.objects.get(pk=finished.pk).charged == 2_000_000
    (record,) = client.get("/api/usage-records/").json()["results"]
    assert (record["job"], record["state"], record["cost"]) == (str(finished.pk), "CHARGED", "2.00")
    cost = api(world.researcher).get(f"/api/jobs/{finished.pk}/cost/").json()
    assert (cost["bill"]["state"], cost["bill"]["charged"]) == ("CHARGED", "2.00")
    assert [r["cost"] for r in cost["records"]] == ["2.00"]
    assert api(world.researcher).get("/api/usage-records/").json()["count"] == 0
    assert client.get(f"/api/usage-records/?job={finished.pk}").json()["count"] == 1
    for query in ("job=x", "provider=a%00", "state=%00"):
        assert client.get(f"/api/usage-records/?{query}").status_code == 400
    assert client.get("/api/usage-records/?provider=other").status_code == 404


def test_a_provider_cannot_report_for_anothers_jobs(world, api, finished):
    rival = make_provider(make_user()).owner
    answer = send(api(rival), apel(finished.pk))
    assert answer.status_code == 201
    assert answer.json()["matched"] == 0
    assert JobBill.objects.get(pk=finished.pk).charged == 0
    assert UsageRecord.objects.get().bill_id is None


def test_every_bad_record_is_told_and_nothing_is_taken(world, api, finished):
    body = apel(finished.pk) + "Site: X\nWallDuration: -5\n%%\nSite: Y\nLocalJobId: 1\n%%\n"
    answer = send(api(world.provider_owner), body)
    assert answer.status_code == 400
    problem = answer.json()
    assert len(problem["errors"]["body"]) >= 2
    assert all(fault["line"] for fault in problem["faults"])
    assert not UsageRecord.objects.exists()


def test_who_may_send_usage(world, api, client, finished):
    body = apel(finished.pk)
    assert send(client, body).status_code == 401
    assert send(api(world.provider_owner, "read", "run", "manage"), body).status_code == 403
    assert send(api(world.researcher), body).status_code == 403
    make_provider(world.provider_owner, slug="second-centre")
    both = api(world.provider_owner)
    assert send(both, body).status_code == 400
    assert send(both, body, "?provider=nothing").status_code == 404
    assert send(both, body, f"?provider={world.provider.slug}").json()["matched"] == 1
    assert send(api(world.operator), apel(finished.pk, wall=1)).status_code == 201


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("{}", "application/json", 400),
        ("<UsageRecords>", "application/xml", 400),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "application/xml", 400),
        ("[" * 100_000, "application/json", 400),
        ('{"id": 1e999999999}', "application/json", 400),
        ("1" * 100_000, "application/json", 400),
        ("", "text/plain", 400),
        ("no message", "text/plain; charset=utf-8", 400),
        ("x" * (5 * 2**20 + 1), "text/plain", 413),
        (b"\x00\xff", "text/plain", 400),
    ],
)
def test_what_is_no_usage_message(world, api, body, content_type, status):
    answer = send(api(world.provider_owner), body, content_type=content_type)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert not Job.objects.exists()
