"""The built-in viewer adapters keep the contract, against servers that behave as the real ones."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import cast

import pytest

from catalogue_client.viewers import geonode, puma
from catalogue_client.viewers.contract import Adapter, Busy, Place
from catalogue_client.viewers.testing import FarSide, ViewerContract, looked, upload
from common.errors import InvalidInput, ProviderRefused
from tests.fakes.geonode_server import PASSWORD, USER, FakeGeoNode
from tests.fakes.http_server import Received, Reply, ScriptedServer
from tests.fakes.puma_server import FakePuma


class GeoNodeSide(FakeGeoNode):
    @property
    def place(self) -> Place:
        options = {} if self.version == 5 else {"version": 4}
        return Place(f"{self.base}/", USER, PASSWORD, options)

    def arrived(self) -> list[bytes]:
        return [parts["base_file"] for parts in self.uploads]

    def lose_answer(self) -> None:
        self.reply("upload", Reply(hang_up=True, after=True))

    def answer(self, got):  # the import goes on whether somebody asks or not
        reply = super().answer(got)
        if got.kind == "find":
            for execution in self.executions.values():
                self.finish(execution)
        return reply

    def refuse(self) -> None:
        said = b'{"success": false, "errors": ["Too large."], "code": "total_upload_size_exceeded"}'
        self.reply("upload", Reply(400, said))

    def garble(self, body: bytes) -> None:
        for kind in ("upload", "execution", "dataset"):
            self.reply(kind, Reply(200 if kind != "upload" else 201, body), times=None)


class PumaSide(FakePuma):
    @property
    def place(self) -> Place:
        return Place(self.base)

    def arrived(self) -> list[bytes]:
        return [address.encode() for address in self.addresses]

    def lose_answer(self) -> None:
        self.reply("process", Reply(hang_up=True, after=True))

    def refuse(self) -> None:
        self.reply("process", Reply(400, b'{"message": "The parameter url is missing."}'))

    def garble(self, body: bytes) -> None:
        for kind in ("process", "status"):
            self.reply(kind, Reply(200, body), times=None)


@pytest.fixture(params=[4, 5])
def node(request: pytest.FixtureRequest) -> Iterator[GeoNodeSide]:
    with GeoNodeSide(request.param) as server:
        yield server


class TestGeoNode(ViewerContract):
    @pytest.fixture
    def adapter(self) -> Adapter:
        return geonode

    @pytest.fixture
    def far_side(self, node: GeoNodeSide) -> FarSide:
        return node


class TestPuma(ViewerContract):
    finds = False
    streams = False

    @pytest.fixture
    def adapter(self) -> Adapter:
        return puma

    @pytest.fixture
    def far_side(self) -> Iterator[FarSide]:
        with PumaSide() as server:
            yield server


class SimpleSide(ScriptedServer):
    """The viewer of the example in docs/viewers.md."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}

    @property
    def place(self) -> Place:
        return Place(self.base, secret="a token")

    def kind_of(self, method: str, target: str) -> str:
        del target
        return method

    def work(self, got: Received) -> Reply:
        name = got.path.rpartition("/")[2]
        if got.headers.get("authorization") != "Bearer a token":
            return Reply(401)
        if got.method == "POST":
            self.files[name] = got.body
            return Reply(201, json.dumps({"name": name}).encode())
        known = name in self.files
        return Reply(200 if known else 404, b'{"ready": true}')

    def arrived(self) -> list[bytes]:
        return list(self.files.values())

    def lose_answer(self) -> None:
        self.reply("POST", Reply(hang_up=True, after=True))

    def refuse(self) -> None:
        self.reply("POST", Reply(409, b'{"message": "No."}'))

    def garble(self, body: bytes) -> None:
        self.reply("POST", Reply(201, body), times=None)
        self.reply("GET", Reply(200, body), times=None)


class TestExample(ViewerContract):
    @pytest.fixture
    def adapter(self) -> Adapter:
        text = (Path(__file__).parents[2] / "docs" / "viewers.md").read_text()
        code = re.search(r"```python\n(.*?)```", text, re.S)
        assert code is not None
        module = ModuleType("simple_viewer")
        exec(code[1], module.__dict__)  # noqa: S102 (our own example)
        return cast("Adapter", module)

    @pytest.fixture
    def far_side(self) -> Iterator[FarSide]:
        with SimpleSide() as server:
            yield server


def test_geonode_shows_to_strangers_only_what_is_public_and_keeps_other_permissions(
    node: GeoNodeSide,
) -> None:
    handle = geonode.send(node.place, upload(public=False))
    look = looked(geonode, node.place, handle, upload(public=False))
    assert not node.seen_by_strangers(411)
    assert look.url == f"{node.base}/catalogue/#/dataset/411"
    assert [(s.kind, s.name[:12]) for s in look.services] == [
        ("wms", "geonode:tep0"), ("wcs", "geonode:tep0"),
    ]  # fmt: skip
    looked(geonode, node.place, look.handle, upload(public=True))
    assert node.seen_by_strangers(411)
    assert {"id": 1000, "permissions": "owner"} in node.datasets[411]["users"]
    assert node.datasets[411]["groups"] == [{"id": 2, "permissions": "edit"}]
    assert node.datasets[411]["title"] == "Index: Naples"
    looked(geonode, node.place, look.handle, upload(public=False))
    assert not node.seen_by_strangers(411)


def test_geonode_that_is_busy_is_asked_later_and_a_failed_import_says_why(
    node: GeoNodeSide,
) -> None:
    node.most_at_once = 1
    handle = geonode.send(node.place, upload())
    with pytest.raises(Busy):
        geonode.send(node.place, upload())
    node.log = "raster has no coordinate reference system\x07"
    with pytest.raises(ProviderRefused, match="no coordinate reference"):
        looked(geonode, node.place, handle, upload())
    with pytest.raises(ProviderRefused):
        geonode.look(node.place, "execution/of-somebody-else", upload())
    wrong = Place(node.place.address, USER, "wrong", node.place.options)
    with pytest.raises(ProviderRefused, match="permission"):
        geonode.send(wrong, upload())


@pytest.mark.parametrize("options", [{"version": 3}, {"version": "5"}, {"colour": 1}])
def test_options_that_there_are_not(options: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        geonode.check(Place("https://maps.example.org", options=options))
