"""What users see when a job fails or is refused."""

from __future__ import annotations

import pytest
import structlog

from common.errors import ProviderNonsense, ProviderRefused
from providers.drivers.wps1.status import parse_status
from tests.fakes import wps_documents
from tests.providers.documents import HERE, response, succeeded

SECRETS = ("centre-a", "10.0.0.7", "/srv/", "\\share", "db.internal", "localhost", "://")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("No data.", "No data."),
        ("\n\n  No data.  \n  File x, line 3\n", "No data."),
        ("Cannot open /srv/wps/data/a b.tif", "Cannot open … b.tif"),
        ("Cannot open C:\\wps\\run.py now", "Cannot open … now"),
        ("See https://centre-a.example.org/log?id=1 for more", "See … for more"),
        ("centre-a.example.org:8080 is down", "… is down"),
        ("db.internal:5432 refused 10.0.0.7:5432 and localhost:80", "… refused … and …"),
        (
            "method=wps_ndvi.py._handler, line=133, msg=No band 4 in m/s",
            "No band 4 in m/s",
        ),
        ("x" * 600, "x" * 499 + "…"),
        ("", "The provider says only that the job failed."),
    ],
)
def test_what_a_user_sees_of_a_failure(said: str, shown: str) -> None:
    report = (
        f'<{{0}}:ExceptionReport version="1.0.0"><ows:Exception exceptionCode="NoApplicableCode">'
        f"<ows:ExceptionText>{said}</ows:ExceptionText></ows:Exception></{{0}}:ExceptionReport>"
    )
    for prefix in ("ows", "wps"):  # PyWPS has the wrong namespace
        failed = f"<wps:ProcessFailed>{report.format(prefix)}</wps:ProcessFailed>"
        with structlog.testing.capture_logs() as logs:
            status = parse_status(response(failed), HERE)
        assert status.error == shown
        assert not any(secret in status.error for secret in SECRETS)
        assert logs[0]["text"] == said.strip()


def test_a_failure_in_plain_text_after_a_bom() -> None:
    document = b"\xef\xbb\xbf" + response("<wps:ProcessFailed>Out of memory</wps:ProcessFailed>")
    assert parse_status(document, HERE).error == "Out of memory"


def test_a_report_in_place_of_the_answer_is_a_refusal() -> None:
    report = wps_documents.exception_report("InvalidParameterValue", "'a' is no number", "n")
    with pytest.raises(ProviderRefused) as caught:
        parse_status(report, HERE)
    assert caught.value.detail == "'a' is no number"
    assert caught.value.data["native_code"] == "InvalidParameterValue"
    assert caught.value.data["locator"] == "n"
    assert not caught.value.data["retryable"]


def test_a_busy_server_may_be_asked_again() -> None:
    report = wps_documents.exception_report("ServerBusy", "Maximum number of processes reached")
    with pytest.raises(ProviderRefused) as caught:
        parse_status(report, HERE)
    assert caught.value.data["retryable"]


def test_broken_xml_is_never_repaired_in_a_result() -> None:
    with pytest.raises(ProviderNonsense, match="not well-formed"):
        parse_status(
            succeeded("<wps:Data><wps:ComplexData>{a < b}</wps:ComplexData></wps:Data>"), HERE
        )
