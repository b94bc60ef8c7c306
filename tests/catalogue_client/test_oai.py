"""OAI-PMH: every answer against the schema, lists in pieces, deletions, and sickle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogue_client.change_list import Wanted, changes
from catalogue_client.models import Departure, Item
from catalogue_client.services import publish, put_collection, put_item, withdraw
from common import clock
from tests.catalogue_client.schemas import oai_valid
from tests.catalogue_client.world import People, record, scene

pytestmark = pytest.mark.django_db
OAI = "{http://www.openarchives.org/OAI/2.0/}"


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalogue_client.oai.views.PAGE", 20)


def ask(client: Client | None = None, **query: Any) -> Any:
    answer = (client or Client()).get("/oai", query)
    assert answer.status_code == 200, answer.content
    return oai_valid(answer.content)


def error(root: Any) -> str:
    found = root.find(f"{OAI}error")
    return "" if found is None else str(found.get("code"))


def fill(number: int, **options: Any) -> list[Item]:
    collection = put_collection(document={"id": "scenes", "title": "Scenes"})
    return [
        put_item(collection=collection, document=scene(f"s{n}", **extra), **options)
        for n in range(number)
        for extra in ({"description": "A <b>&amp; \x0b\ud7ff"} if n % 2 else {},)
    ]


def headers(**query: Any) -> list[tuple[str, bool]]:
    """Identifier and whether it is gone, over all pieces of a list."""
    found, asked = [], {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc", **query}
    client = asked.pop("client", None)
    while True:
        root = ask(client, **asked)
        found += [
            (h.findtext(f"{OAI}identifier").rpartition(":")[2], h.get("status") == "deleted")
            for h in root.iter(f"{OAI}header")
        ]
        token = root.find(f".//{OAI}resumptionToken")
        if token is None or not token.text:
            return found
        asked = {"verb": "ListIdentifiers", "resumptionToken": token.text}


def test_every_verb_answers_as_the_schema_says() -> None:
    people = People()
    publish(record=record(people.owner, visibility="public"))
    fill(2)
    name = "oai:testserver:scenes:s1"
    for query in (
        {"verb": "Identify"},
        {"verb": "ListSets"},
        {"verb": "ListMetadataFormats"},
        {"verb": "ListMetadataFormats", "identifier": name},
        *({"verb": "GetRecord", "identifier": name, "metadataPrefix": p} for p in PREFIXES),
        *({"verb": "ListRecords", "metadataPrefix": p} for p in PREFIXES),
        {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc", "set": "scenes"},
        {"verb": "ListRecords", "metadataPrefix": "oai_dc", "from": "2020-01-01"},
    ):
        root = ask(**query)
        assert error(root) == ""
        assert dict(root.find(f"{OAI}request").attrib) == query
    posted = Client().post(
        "/oai", "verb=Identify", content_type="application/x-www-form-urlencoded"
    )
    assert error(oai_valid(posted.content)) == ""
    listed = ask(verb="ListIdentifiers", metadataPrefix="oai_dc")
    assert [child.tag for child in listed.find(f"{OAI}ListIdentifiers")] == [f"{OAI}header"] * 3


PREFIXES = ("oai_dc", "iso19139")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "badVerb"),
        ("verb=Nothing", "badVerb"),
        ("verb=Identify&verb=Identify", "badVerb"),
        ("verb=Identify&x=1", "badArgument"),
        ("verb=ListRecords", "badArgument"),
        ("verb=ListRecords&metadataprefix=oai_dc", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&metadataPrefix=oai_dc", "badArgument"),
        ("verb=ListRecords&metadataPrefix=marc", "cannotDisseminateFormat"),
        ("verb=ListRecords&metadataPrefix=a%20b", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&resumptionToken=x", "badArgument"),
        ("verb=ListRecords&resumptionToken=x", "badResumptionToken"),
        ("verb=ListSets&resumptionToken=x", "badResumptionToken"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-02-30", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2026", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=%EF%BC%92026-01-01", "badArgument"),
        (
            "verb=ListRecords&metadataPrefix=oai_dc&from=2026-01-01&until=2027-01-01T00:00:00Z",
            "badArgument",
        ),
        (
            "verb=ListRecords&metadataPrefix=oai_dc&from=2027-01-02&until=2027-01-01",
            "badArgument",
        ),
        ("verb=ListRecords&metadataPrefix=oai_dc&until=1990-01-01", "noRecordsMatch"),
        ("verb=ListRecords&metadataPrefix=oai_dc&set=nothing", "noRecordsMatch"),
        ("verb=ListRecords&metadataPrefix=oai_dc&set=%00", "badArgument"),
        ("verb=GetRecord&metadataPrefix=oai_dc&identifier=x", "idDoesNotExist"),
        ("verb=GetRecord&metadataPrefix=oai_dc&identifier=%ff", "badArgument"),
        ("verb=ListMetadataFormats&identifier=oai:a%20b", "idDoesNotExist"),
        ("verb=Identify" + "&a=1" * 2000, "badArgument"),
    ],
)
def test_errors_are_those_of_the_protocol(query: str, code: str) -> None:
    fill(1)
    answer = Client().get(f"/oai?{query}")
    root = oai_valid(answer.content)
    assert (answer.status_code, error(root)) == (200, code)
    if code in ("badVerb", "badArgument"):
        assert not root.find(f"{OAI}request").attrib


@pytest.mark.usefixtures("small_pieces")
def test_a_list_in_pieces_misses_nothing_that_changes_meanwhile() -> None:
    items = fill(45)
    first = ask(verb="ListIdentifiers", metadataPrefix="oai_dc")
    token = first.find(f".//{OAI}resumptionToken")
    assert (token.get("cursor"), token.get("completeListSize")) == ("0", "45")
    seen = [h.findtext(f"{OAI}identifier") for h in first.iter(f"{OAI}header")]
    # One of the first piece and one of the last change; one more appears, one goes.
    collection = items[0].collection
    for name in ("s3", "s44"):
        put_item(collection=collection, document=scene(name, title="new"))
    put_item(collection=collection, document=scene("late"))
    put_item(
        collection=collection, document=scene("s35"), visibility="private", owner=People().owner
    )
    gone = []
    while token is not None and token.text:
        root = ask(verb="ListIdentifiers", resumptionToken=token.text)
        assert len(list(root.iter(f"{OAI}header"))) <= 20
        seen += [h.findtext(f"{OAI}identifier") for h in root.iter(f"{OAI}header")]
        gone += [
            h.findtext(f"{OAI}identifier") for h in root.iter(f"{OAI}header") if h.get("status")
        ]
        token = root.find(f".//{OAI}resumptionToken")
    assert token is not None
    names = [name.rpartition(":")[2] for name in seen]
    assert set(names) == {f"s{n}" for n in range(45)} | {"late"}
    assert [name for name in names if names.count(name) > 1] == ["s3", "s3"]
    assert gone == ["oai:testserver:scenes:s35"]
    assert names[-1] == "s35"


@pytest.mark.usefixtures("small_pieces")
def test_the_token_of_one_list_is_none_of_another() -> None:
    fill(21)
    token = ask(verb="ListIdentifiers", metadataPrefix="oai_dc").find(f".//{OAI}resumptionToken")
    assert error(ask(verb="ListRecords", resumptionToken=token.text)) == "badResumptionToken"
    pieces = [ask(verb="ListIdentifiers", resumptionToken=token.text) for _ in range(2)]
    assert [[h.findtext(f"{OAI}identifier") for h in p.iter(f"{OAI}header")] for p in pieces] == [
        ["oai:testserver:scenes:s20"]
    ] * 2


def test_who_could_see_it_learns_that_it_is_gone_and_nobody_else() -> None:
    people = People()
    clients = {name: Client() for name in people.all()}
    for name, user in people.all().items():
        if user is not None:
            clients[name].force_login(user)

    def told() -> dict[str, list[tuple[str, bool]]]:
        return {name: headers(client=client) for name, client in clients.items()}

    collection = put_collection(document={"id": "scenes", "title": "Scenes"})
    put_item(collection=collection, document=scene("anchor"))

    def put(name: str, visibility: str) -> None:
        put_item(
            collection=collection,
            document=scene(name),
            visibility=visibility,
            owner=people.owner,
            group=people.group,
        )

    put("secret", "private")
    put("shared", "group")
    put("open", "public")
    rest = [("anchor", False)]
    open_, shared, secret = ("open", False), ("shared", False), ("secret", False)
    assert told() == {
        "owner": [*rest, secret, shared, open_],
        "operator": [*rest, secret, shared, open_],
        "member": [*rest, shared, open_],
        "stranger": [*rest, open_],
        "anonymous": [*rest, open_],
    }
    put("shared", "private")
    put("open", "group")
    gone = [("open", True)]
    assert told() == {
        "owner": [*rest, secret, shared, open_],
        "operator": [*rest, secret, shared, open_],
        "member": [*rest, ("shared", True), open_],
        "stranger": [*rest, *gone],
        "anonymous": [*rest, *gone],
    }
    # What happens out of their sight leaves no trace, not even in how caches are told.
    before = clients["anonymous"].get("/oai?verb=ListRecords&metadataPrefix=oai_dc")
    moments = list(Departure.objects.filter(audience="everybody").values("sequence", "at"))
    put_item(
        collection=collection, document=scene("open", title="x"), visibility="group",
        owner=people.owner, group=people.group,
    )  # fmt: skip
    assert moments == list(Departure.objects.filter(audience="everybody").values("sequence", "at"))
    after = clients["anonymous"].get(
        "/oai?verb=ListRecords&metadataPrefix=oai_dc", headers={"If-None-Match": before["ETag"]}
    )
    assert after.status_code == 304
    put("open", "public")
    assert told()["stranger"] == [*rest, open_]
    assert not Departure.objects.filter(item__identifier="open").exists()


def test_a_collection_that_is_closed_takes_its_items_along() -> None:
    people = People()
    document = {"id": "scenes", "title": "Scenes"}
    put_collection(document=document)
    fill(3)
    start = clock.now()
    assert headers() == [("s0", False), ("s1", False), ("s2", False)]
    put_collection(document=document, visibility="private", owner=people.owner)
    gone = [("s0", True), ("s1", True), ("s2", True)]
    assert headers() == gone
    assert {entry.at >= start for entry in changes(None, Wanted(), limit=9)} == {True}
    owner = Client()
    owner.force_login(people.owner)
    assert headers(client=owner) == [(name, False) for name, _ in gone]
    put_collection(document=document)
    assert headers() == [(name, False) for name, _ in gone]
    assert not Departure.objects.exists()
    before = [entry.number for entry in changes(None, Wanted(), limit=9)]
    put_collection(document={**document, "keywords": ["a"]})  # no record says so
    assert before == [entry.number for entry in changes(None, Wanted(), limit=9)]
    put_collection(document={**document, "license": "CC-BY-4.0"})
    assert min(entry.number for entry in changes(None, Wanted(), limit=9)) > max(before)


def test_a_moment_is_never_older_than_that_of_a_smaller_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(2)
    past = datetime(2020, 1, 1, tzinfo=UTC)
    monkeypatch.setattr("catalogue_client.changes.now", lambda: past)  # a clock that is behind
    put_item(collection=Item.objects.first().collection, document=scene("late"))  # type: ignore[union-attr]
    moments = [entry.at for entry in changes(None, Wanted(), limit=9)]
    assert moments == sorted(moments)


VERBS = ("Identify", "ListSets", "ListRecords", "GetRecord", "ListIdentifiers", "x")
NAMES = ("metadataPrefix", "from", "until", "set", "identifier", "resumptionToken", "y")


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    verb=st.sampled_from(VERBS),
    rest=st.dictionaries(
        st.sampled_from(NAMES),
        st.one_of(
            st.text(max_size=20),
            st.sampled_from(["oai_dc", "iso19139", "2026-01-01", "0001-01-01", "9999-12-31"]),
            st.sampled_from(["scenes", "oai:testserver:scenes:s0", "oai:testserver:a:b:c"]),
        ),
        max_size=4,
    ),
)
def test_anything_is_answered_in_the_words_of_the_protocol(verb: str, rest: dict[str, str]) -> None:
    answer = Client().get("/oai", {"verb": verb, **rest})
    assert answer.status_code == 200
    oai_valid(answer.content)


def test_wrong_credentials_and_methods() -> None:
    refused = Client().get("/oai?verb=Identify", headers={"Authorization": "Bearer no"})
    assert refused.status_code == 401
    oai_valid(refused.content)
    assert Client().put("/oai").status_code == 405


def test_a_page_takes_as_many_queries_as_a_record(django_assert_num_queries: Any) -> None:
    client = Client()
    address = "/oai?verb=ListRecords&metadataPrefix=iso19139"
    for number in (1, 12):
        fill(number)
        with django_assert_num_queries(8):
            client.get(address)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_pieces")
def test_sickle_harvests_all_then_the_changes_then_the_deletions(live_server: Any) -> None:
    sickle = pytest.importorskip("sickle")
    people = People()
    fill(50)
    result = publish(record=record(people.owner, visibility="public"))
    harvester = sickle.Sickle(f"{live_server.url}/oai", timeout=20)
    assert harvester.Identify().deletedRecord == "persistent"
    assert {s.setSpec for s in harvester.ListSets()} == {"scenes", "results"}
    everything = list(harvester.ListRecords(metadataPrefix="oai_dc", ignore_deleted=False))
    assert len({r.header.identifier for r in everything}) == len(everything) == 51
    newest = max(r.header.datestamp for r in everything)
    later = datetime.fromisoformat(newest) + timedelta(seconds=1)
    Item.objects.exclude(pk=result.pk).update(updated_at=later - timedelta(days=1))
    withdraw(job_id=result.job_id)
    put_item(
        collection=Item.objects.get(identifier="s7").collection, document=scene("s7", title="n")
    )
    fresh = harvester.ListRecords(
        metadataPrefix="iso19139", ignore_deleted=False, **{"from": newest}
    )
    told = {r.header.identifier.rpartition(":")[2]: r.deleted for r in fresh}
    assert told == {"s7": False, result.identifier: True}
    with pytest.raises(sickle.oaiexceptions.IdDoesNotExist):
        harvester.GetRecord(identifier="oai:x:y:z", metadataPrefix="oai_dc")
