"""The OGC API door in front of a real HTTP provider, and a client that trusts no answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from people.models import User
from people.services import create_api_key
from providers.models import Service
from providers.own import SLUG, ensure
from tests.factories import World
from tests.fakes.wps_server import FakeWps
from tests.wps_proxy.ogcapi.schemas import fits, valid

OGC = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
ROOT = "/ogcapi/"
NONE: Mapping[str, str] = MappingProxyType({})
FAST = {"mode": "fast"}
OPERATIONS = {  # by what an address ends with: operation of our definition, official schema
    "": ("getLandingPage", "landingPage.yaml"),
    "conformance": ("getConformanceClasses", "confClasses.yaml"),
    "processes": ("getProcesses", "processList.yaml"),
    "processes/*": ("getProcessDescription", "process.yaml"),
    "jobs": ("getJobs", "jobList.yaml"),
    "jobs/*": ("getStatus", "statusInfo.yaml"),
}


class Api:
    """A client with an API key. Every JSON answer is checked against the official schema and our
    own definition, and every answer for what must never get out."""

    def __init__(self, world: World, wps: FakeWps | None, user: User, scopes: list[str]) -> None:
        self.world, self.wps = world, wps
        self.client = Client()
        key = create_api_key(user=user, name="test", scopes=scopes)[1]
        self.headers = {"Authorization": f"Bearer {key}"}
        self.root = ROOT

    def get(self, path: str = "", *, headers: Mapping[str, str] = NONE, **query: Any) -> Any:
        address = path if path.startswith(("/", "http")) else f"{self.root}{path}"
        return self._checked(
            path, self.client.get(address, query, headers={**self.headers, **headers})
        )

    def delete(self, path: str) -> Any:
        return self._checked(
            path, self.client.delete(f"{self.root}{path}", headers=self.headers), "dismiss"
        )

    def run(
        self,
        inputs: Any = None,
        *,
        process: str = "",
        query: str = "",
        headers: Mapping[str, str] = NONE,
        **body: Any,
    ) -> Any:
        """Execute; `inputs` FAST unless given."""
        document = {"inputs": FAST if inputs is None else inputs, **body}
        return self.post(json.dumps(document), process=process, query=query, headers=headers)

    def post(
        self,
        body: str | bytes,
        *,
        process: str = "",
        query: str = "",
        headers: Mapping[str, str] = NONE,
    ) -> Any:
        path = f"processes/{quote(process or self.identifier, safe='')}/execution"
        response = self.client.post(
            f"{self.root}{path}{query}",
            body,
            content_type="application/json",
            headers={**self.headers, **headers},
        )
        return self._checked(path, response, "execute")

    def job_of(self, response: Any) -> str:
        """The id of the job that an answer to Execute tells of."""
        if response.status_code == 201:
            return str(response.headers["Location"]).rpartition("/")[2]
        return str(response.headers["Link"]).partition(">")[0].rpartition("/")[2]

    @property
    def identifier(self) -> str:
        own = "providers/" in self.root
        return "eo:all.kinds" if own else f"{self.world.provider.slug}.eo:all.kinds"

    def _checked(self, path: str, response: Any, operation: str = "") -> Any:
        body = b"".join(response) if response.streaming else response.content
        response.body = body
        told = body + repr(sorted(response.headers.items())).encode()
        secrets = [b"127.0.0.1", b"provider-secret", b"portal:provider"]
        for secret in secrets + ([str(self.wps.port).encode()] if self.wps else []):
            assert secret not in told, secret
        assert response.status_code != 500
        kind = response.headers.get("Content-Type", "")
        if body and (kind.startswith(("application/json", "application/problem+json"))):
            response.data = json.loads(body)
            self._valid(path, response, operation)
        return response

    def _valid(self, path: str, response: Any, operation: str) -> None:
        status = response.status_code
        known = OPERATIONS.get(path, ("", ""))
        if path.startswith("processes/") and not path.endswith("/execution"):
            known = OPERATIONS["processes/*"]
        elif path.startswith("jobs/") and path.count("/") == 1:
            known = OPERATIONS["jobs/*"]
        operation = operation or known[0]
        if status >= 400:
            valid(response.data, "exception.yaml")
            assert response.data["status"] == status
            if operation:
                fits(response.data, operation, status)
            return
        if operation == "dismiss" or status == 201:
            known = (operation, "statusInfo.yaml")
        if known[1]:
            valid(response.data, known[1])
        if operation:
            fits(response.data, operation, status)


MakeApi = Callable[..., Api]


@pytest.fixture
def make_api(world: World, wps: FakeWps) -> MakeApi:
    def make(
        user: User | None = None, root: str = ROOT, scopes: tuple[str, ...] = ("read", "run")
    ) -> Api:
        api = Api(world, wps, user or world.researcher, list(scopes))
        api.root = root
        return api

    return make


@pytest.fixture
def api(make_api: MakeApi) -> Api:
    return make_api()


@pytest.fixture
def portal(db: None) -> Service:
    """The portal's own echo process."""
    ensure()
    return Service.objects.get(provider__slug=SLUG)
