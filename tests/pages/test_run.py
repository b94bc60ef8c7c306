"""The form made from a description: what is asked, what is read, what is refused and where."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.test import Client
from django.utils.datastructures import MultiValueDict

from accounting.credit.transfers import set_cap
from common.errors import InvalidInput
from jobs.models import Job
from jobs.validation import validate_inputs
from portal.forms.process_form import ProcessForm
from providers.process import (
    BoundingBoxDomain,
    BoundingBoxValue,
    ComplexDomain,
    ComplexValue,
    Format,
    InputDescription,
    LiteralDomain,
    LiteralValue,
    ProcessDescription,
    ReferenceValue,
    ValueRange,
)
from tests.factories import CREDIT
from tests.pages.conftest import client_of
from tests.pages.stage import Stage

CORNERS = {"in-0-0-west": "1", "in-0-0-south": "2", "in-0-0-east": "3", "in-0-0-north": "4"}
URN = "urn:ogc:def:crs:EPSG::4326"


def one_input(**fields: Any) -> ProcessDescription:
    return ProcessDescription("p", inputs=(InputDescription("x", **fields),))


def bind(description: ProcessDescription, data: dict[str, Any], **files: Any) -> Any:
    posted = QueryDict(mutable=True)
    for name, value in data.items():
        posted.setlist(name, value if isinstance(value, list) else [value])
    form = ProcessForm(description)
    values = form.bind(posted, MultiValueDict({k.replace("_", "-"): [v] for k, v in files.items()}))
    return form, values


@pytest.mark.parametrize(
    ("domain", "posted", "expected"),
    [
        (LiteralDomain("integer"), {"in-0-0": "7"}, LiteralValue("x", "7", "integer")),
        (
            LiteralDomain("double", uoms=("m", "km")),
            {"in-0-0": "1.5", "in-0-0-uom": "km"},
            LiteralValue("x", "1.5", "double", "km"),
        ),
        (LiteralDomain("boolean"), {}, LiteralValue("x", "false", "boolean")),
        (LiteralDomain("boolean"), {"in-0-0": "true"}, LiteralValue("x", "true", "boolean")),
        (
            LiteralDomain("dateTime"),
            {"in-0-0": "2026-03-02T10:15"},
            LiteralValue("x", "2026-03-02T10:15Z", "dateTime"),
        ),
        (LiteralDomain(), {"in-0-0": "a\r\nb"}, LiteralValue("x", "a\nb", "string")),
        (
            BoundingBoxDomain(),
            CORNERS,
            BoundingBoxValue("x", (1.0, 2.0), (3.0, 4.0), "urn:ogc:def:crs:OGC:1.3:CRS84"),
        ),
        (
            BoundingBoxDomain((URN,)),
            CORNERS,
            BoundingBoxValue("x", (2.0, 1.0), (4.0, 3.0), URN),
        ),
        (
            ComplexDomain((Format("text/xml"), Format("application/json"))),
            {"in-0-0": "{}", "in-0-0-source": "text", "in-0-0-format": "1"},
            ComplexValue("x", "{}", "application/json"),
        ),
        (
            ComplexDomain((Format("image/tiff"),)),
            {"in-0-0-source": "href", "in-0-0-href": " https://example.org/a.tif "},
            ReferenceValue("x", "https://example.org/a.tif", "image/tiff"),
        ),
    ],
)  # fmt: skip
def test_what_is_posted_becomes_the_value(domain: Any, posted: dict, expected: Any) -> None:
    form, values = bind(one_input(domain=domain), posted)
    assert values == (expected,)
    assert form.wrong == []
    # Running the job again shows the same controls, which give the same value.
    again = ProcessForm(one_input(domain=domain), initial=values).fields[0].occurrences[0]
    if isinstance(expected, BoundingBoxValue):
        assert again.corners == ("1", "2", "3", "4")
    elif isinstance(expected, ReferenceValue):
        assert (again.source, again.href) == ("href", expected.href)


@pytest.mark.parametrize(
    ("content", "encoding", "data"),
    [(b'\xef\xbb\xbf{"a": 1}', "", '{"a": 1}'), (b"\x00\xff\x01", "base64", "AP8B")],
)
def test_files_are_text_or_base64(content: bytes, encoding: str, data: str) -> None:
    description = one_input(domain=ComplexDomain((Format("application/json"),)))
    file = SimpleUploadedFile("a.json", content)
    form, (value,) = bind(description, {"in-0-0-source": "file"}, in_0_0_file=file)
    assert value == ComplexValue("x", data, "application/json", encoding)
    # A browser forgets the file: a second round gives the same value from what the page holds.
    held = form.fields[0].occurrences[0]
    posted = {"in-0-0": held.text, "in-0-0-source": "text", "in-0-0-encoding": held.encoding}
    assert bind(description, posted)[1] == (value,)


def test_a_file_that_is_too_large_is_refused_unread() -> None:
    file = SimpleUploadedFile("a", b"x" * (2**20 + 1))
    form, values = bind(
        one_input(domain=ComplexDomain((Format("text/csv"),), 1)),
        {"in-0-0-source": "file"},
        in_0_0_file=file,
    )
    assert values == ()
    assert "larger than 1 MB" in form.wrong[0].errors[0]


def test_several_values_with_gaps_where_some_were_taken_away() -> None:
    description = one_input(domain=LiteralDomain("integer"), max_occurs=None)
    posted = {"in-0-count": "12", "in-0-0": "1", "in-0-10": "2", "in-0-11": ""}
    form, values = bind(description, posted)
    assert [v.value for v in values] == ["1", "2"]
    assert [o.text for o in form.fields[0].occurrences] == ["1", "2"]
    grown, _values = bind(description, {**posted, "add": "0"})
    assert [o.text for o in grown.fields[0].occurrences] == ["1", "2", ""]


UNIT_RANGE = LiteralDomain("double", ranges=(ValueRange("0", "1"),))
ODD = LiteralDomain("integer", ranges=(ValueRange("1", "9", "closed", "2"),))
GAP = LiteralDomain("integer", ranges=(ValueRange("1", "2"), ValueRange("5", "6")))
RECENT = LiteralDomain("date", ranges=(ValueRange("2026-01-01", None),))
TWO = LiteralDomain(allowed_values=("a", "b"))
SEVEN = LiteralDomain(allowed_values=tuple("abcdefg"))


@pytest.mark.parametrize(
    ("fields", "widget", "limits"),
    [
        ({"domain": UNIT_RANGE}, "input", {"step": "any", "min": "0", "max": "1"}),
        ({"domain": ODD}, "input", {"min": "1", "max": "9", "step": "2"}),
        ({"domain": GAP}, "input", {}),
        ({"domain": RECENT}, "input", {"min": "2026-01-01"}),
        ({"domain": TWO}, "radios", {}),
        ({"domain": SEVEN}, "select", {}),
        ({"domain": TWO, "min_occurs": 0}, "select", {}),
        ({"domain": TWO, "max_occurs": 2}, "checkboxes", {}),
        ({"domain": LiteralDomain("boolean")}, "switch", {}),
        ({"domain": LiteralDomain("boolean"), "min_occurs": 0}, "yesno", {}),
        ({"domain": LiteralDomain(default="x" * 100)}, "textarea", {}),
    ],
)
def test_how_an_input_is_asked_for(fields: dict, widget: str, limits: dict) -> None:
    field = ProcessForm(one_input(**fields)).fields[0]
    assert field.widget == widget
    if field.input_type in ("number", "date"):
        assert field.limits == limits


def test_projected_boxes_are_asked_for_without_a_map() -> None:
    description = one_input(domain=BoundingBoxDomain(("EPSG:32633",)))
    assert ProcessForm(description).has_map is False
    assert bind(description, CORNERS)[1] == (
        BoundingBoxValue("x", (1.0, 2.0), (3.0, 4.0), "EPSG:32633"),
    )


def test_errors_go_to_their_field() -> None:
    description = one_input(domain=LiteralDomain("integer", ranges=(ValueRange("1", "5"),)))
    form, values = bind(description, {"in-0-0": "9"})
    with pytest.raises(InvalidInput) as refused:
        validate_inputs(description, values)
    assert form.refuse(refused.value) == []
    assert form.wrong[0].errors
    assert form.fields[0].occurrences[0].text == "9"


# --- through the page ----------------------------------------------------------------------


def filled(stage: Stage, **changes: str) -> dict[str, str]:
    return {
        "account": str(stage.account.pk),
        "in-0-0-west": "13.3", "in-0-0-south": "52.4",
        "in-0-0-east": "13.4", "in-0-0-north": "52.5",
        "in-1-0": "0.4", "in-2-0": "NDVI", "in-3-0": "10", "in-3-0-uom": "m", "in-5-0": "true",
        **changes,
    }  # fmt: skip


def address(stage: Stage) -> str:
    return f"/apps/{stage.app.slug}/services/{stage.service.public_identifier}/"


def quoted(client: Client, stage: Stage, **changes: str) -> Any:
    return client.post(address(stage), {**filled(stage, **changes), "action": "quote"})


def test_quote_then_run_without_a_script(stage: Stage) -> None:
    client = client_of(stage.researcher)
    page = quoted(client, stage)
    html = page.content.decode()
    assert "Run for 2.10 credits" in html
    assert "97.90 CRD" in html  # after the run
    run = page.context["run"]
    seen = {"quote": str(run.quote.pk), "key": run.key}
    posted = {**filled(stage), **seen, "action": "submit", "title": "Mine"}
    first = client.post(address(stage), posted)
    second = client.post(address(stage), posted)  # a double click
    job = Job.objects.get()
    assert first.headers["Location"] == second.headers["Location"] == f"/jobs/{job.pk}/"
    assert (job.title, job.application, job.door) == ("Mine", stage.app, "web")
    stage.account.refresh_from_db()
    assert stage.account.held == 2_100_000
    again = client.get(address(stage), {"from": str(job.pk)}).content.decode()
    assert 'value="52.4"' in again
    assert "You ran exactly this before" not in again


def test_htmx_gets_the_cost_and_the_errors_of_every_field(stage: Stage) -> None:
    client = client_of(stage.researcher)
    answer = client.post(
        address(stage),
        {**filled(stage, **{"in-1-0": "7", "in-0-0-east": "x"}), "action": "quote"},
        headers={"HX-Request": "true"},
    )
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "<html" not in html
    assert "Run for" not in html
    assert 'id="in-0-errors" hx-swap-oob' in html
    assert "Give four numbers" in html


def test_nothing_runs_without_a_price_that_was_seen(stage: Stage) -> None:
    client = client_of(stage.researcher)
    posted = {**filled(stage), "action": "submit", "key": str(uuid.uuid4())}
    answer = client.post(address(stage), posted)
    assert answer.status_code == 409
    assert not Job.objects.exists()
    page = quoted(client, stage)
    posted["quote"] = str(page.context["run"].quote.pk)
    posted["in-1-0"] = "0.9"  # other inputs than those of the quote
    assert client.post(address(stage), posted).status_code == 409
    assert not Job.objects.exists()


def test_a_refusal_says_what_is_missing_and_whom_to_ask(stage: Stage) -> None:
    client = client_of(stage.researcher)
    set_cap(actor=stage.admin, group=stage.group, member=stage.researcher, limit=1 * CREDIT)
    html = quoted(client, stage).content.decode()
    assert "Your limit is 1.10 credits too low" in html
    assert "Bruno Hill" in html
    assert 'value="submit"' not in html
    poor = Stage(credits=1)
    html = quoted(client_of(poor.researcher), poor).content.decode()
    assert "1.10 credits are missing" in html
    assert "Bruno Hill" in html
    assert 'value="submit"' not in html


@pytest.mark.parametrize(
    "posted",
    [
        {},
        {"action": "submit"},
        {"action": "quote", "account": "x' or 1=1", "in-0-count": "999999999", "add": "99"},
        {**CORNERS, "action": "quote", "in-0-0-west": "nan", "in-0-0-south": "1e999"},
        {**CORNERS, "action": "quote", "in-0-0-east": "٣", "in-0-0-north": "\x00"},
        {"action": "submit", "quote": "not-a-uuid", "key": "k" * 5000, "title": "t" * 5000},
        {"action": "quote", "in-7-0-source": "file", "in-7-0-format": "-1", "in-6-count": "-5"},
    ],
)  # fmt: skip
def test_nonsense_is_never_a_fault_of_ours(stage: Stage, posted: dict) -> None:
    answer = client_of(stage.researcher).post(address(stage), posted)
    assert answer.status_code in (200, 400, 409)
    assert not Job.objects.exists()
