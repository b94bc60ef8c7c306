"""A test kit for drivers, also those of other packages: what the portal relies on, as tests.

Write a far side (a small server that speaks your protocol, with the switches of `FarSide`) and

    class TestMyDriver(DriverContract):
        @pytest.fixture
        def driver(self) -> Driver:
            return MyDriver()

        @pytest.fixture
        def far_side(self) -> Iterator[FarSide]:
            with MyServer() as server:
                yield server

The portal's settings must be those of tests (`DJANGO_SETTINGS_MODULE`), with 127.0.0.1 in
`OUTBOUND_ALLOW`. `tests/providers/test_contract.py` is a complete example.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

import pytest

from common.errors import ProviderError, ProviderRefused, ProviderTimeout, ProviderUnreachable
from providers.ports import Driver, Endpoint, Found, RemoteState, RemoteStatus
from providers.process import ExecuteRequest, ProcessDescription, ReferenceValue

REFERENCE = "6f2c0c1e-5a7e-4f3b-9a50-0d6a3c6f4f11"
ENDED = frozenset({RemoteState.SUCCEEDED, RemoteState.FAILED, RemoteState.DISMISSED})
MOST_POLLS = 20
GARBAGE = (
    b"",
    b"\x00\xff\xfe",
    b"<html><body>Welcome</body></html>",
    b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
    b"<a>" * 10_000,
    b"[" * 10_000,
    b'{"a": NaN}',
    b"null",
)


class FarSide(Protocol):
    """A provider on 127.0.0.1 with one asynchronous process, and what a test can ask of it."""

    @property
    def endpoint(self) -> Endpoint:
        """Where it is, with `reference_header` set."""
        ...

    @property
    def request(self) -> ExecuteRequest:
        """A run that succeeds after a few questions, with at least one output."""
        ...

    def references(self) -> list[str]:
        """The reference of every run that arrived, in order."""
        ...

    def lose_answer(self) -> None:
        """Take the next run, but break the connection instead of answering."""
        ...

    def refuse(self) -> None:
        """Refuse the next run, in the protocol's own form."""
        ...

    def fail_jobs(self, message: str) -> None:
        """Let runs end as failed from now on, with this message."""
        ...

    def say(self, body: bytes) -> None:
        """Answer every request with this from now on, as if all were well (HTTP 200)."""
        ...

    def go_away(self) -> None:
        """Stop listening."""
        ...


class DriverContract:
    """Subclass it with the fixtures `driver` and `far_side`."""

    def test_what_is_offered_can_be_described(self, driver: Driver, far_side: FarSide) -> None:
        info = driver.capabilities(far_side.endpoint)
        identifiers = [one.identifier for one in info.processes]
        assert far_side.request.process in identifiers
        answered = driver.describe(far_side.endpoint, [*identifiers, "no such process"])
        assert set(answered.found) | set(answered.problems) == {*identifiers, "no such process"}
        assert not set(answered.found) & set(answered.problems)
        assert answered.problems["no such process"]
        for description in answered.found.values():
            stored = json.loads(json.dumps(description.to_json()))
            assert ProcessDescription.from_json(stored) == description

    def test_a_run_from_beginning_to_end(self, driver: Driver, far_side: FarSide) -> None:
        first = _submit(driver, far_side)
        assert first.state not in ENDED
        assert first.handle
        last = _follow(driver, far_side, first)
        assert last.state == RemoteState.SUCCEEDED
        assert last.scheme == driver.scheme
        assert last.word
        assert last.outputs
        assert far_side.references() == [REFERENCE]
        for output in last.outputs:
            if isinstance(output.value, ReferenceValue):
                assert driver.may_fetch(far_side.endpoint, output.value.href)

    def test_a_failure_is_told_without_the_providers_address(
        self, driver: Driver, far_side: FarSide
    ) -> None:
        host = urlsplit(far_side.endpoint.url).netloc
        far_side.fail_jobs(f"No data at http://{host}/data in /srv/data/x.tif")
        last = _follow(driver, far_side, _submit(driver, far_side))
        assert last.state == RemoteState.FAILED
        assert "No data" in last.error
        assert host not in last.error
        assert "/srv/data" not in last.error

    def test_a_lost_answer_is_an_unknown_outcome_and_nothing_is_sent_again(
        self, driver: Driver, far_side: FarSide
    ) -> None:
        far_side.lose_answer()
        with pytest.raises(ProviderTimeout):
            _submit(driver, far_side)
        assert far_side.references() == [REFERENCE]
        found = driver.find(far_side.endpoint, REFERENCE)
        assert found is not Found.NEVER_ARRIVED
        assert far_side.references() == [REFERENCE]

    def test_a_refusal_is_one(self, driver: Driver, far_side: FarSide) -> None:
        far_side.refuse()
        with pytest.raises(ProviderRefused) as caught:
            _submit(driver, far_side)
        assert caught.value.detail
        assert urlsplit(far_side.endpoint.url).netloc not in caught.value.detail

    def test_a_provider_that_is_away_got_nothing(self, driver: Driver, far_side: FarSide) -> None:
        far_side.go_away()
        with pytest.raises(ProviderUnreachable):
            _submit(driver, far_side)
        with pytest.raises(ProviderError):
            driver.capabilities(far_side.endpoint)

    @pytest.mark.parametrize("garbage", GARBAGE)
    def test_garbage_is_a_clear_error(
        self, driver: Driver, far_side: FarSide, garbage: bytes
    ) -> None:
        handle = _submit(driver, far_side).handle
        far_side.say(garbage)
        questions: tuple[Callable[[], object], ...] = (
            lambda: driver.capabilities(far_side.endpoint),
            lambda: driver.status(far_side.endpoint, handle),
            lambda: _submit(driver, far_side),
        )
        for ask in questions:
            with pytest.raises(ProviderError) as caught:
                ask()
            assert caught.value.detail
            assert "root:" not in caught.value.detail
        assert driver.describe(far_side.endpoint, ["x"]).problems["x"]

    @pytest.mark.parametrize(
        "href",
        [
            "https://elsewhere.example.net/x",
            "http://169.254.169.254/latest/meta-data",
            "file:///etc/passwd",
            "https://[::1/",
            "//elsewhere.example.net/x",
            "",
        ],
    )
    def test_other_addresses_are_not_the_providers_own(
        self, driver: Driver, far_side: FarSide, href: str
    ) -> None:
        assert not driver.may_fetch(far_side.endpoint, href)
        assert driver.may_fetch(far_side.endpoint, far_side.endpoint.url)

    def test_dismiss_says_whether_it_could(self, driver: Driver, far_side: FarSide) -> None:
        handle = _submit(driver, far_side).handle
        assert driver.dismiss(far_side.endpoint, handle) in (True, False)


def _submit(driver: Driver, far_side: FarSide) -> RemoteStatus:
    request = far_side.request
    process = ProcessDescription(request.process, store_supported=True, status_supported=True)
    described = driver.describe(far_side.endpoint, [request.process]).found
    process = described.get(request.process, process)
    return driver.submit(far_side.endpoint, process, request, REFERENCE)


def _follow(driver: Driver, far_side: FarSide, status: RemoteStatus) -> RemoteStatus:
    for _ in range(MOST_POLLS):
        if status.state in ENDED:
            return status
        status = driver.status(far_side.endpoint, status.handle)
    raise AssertionError(f"no end after {MOST_POLLS} questions: {status}")
