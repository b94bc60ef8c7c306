"""PUMA's integration service on 127.0.0.1: it is told addresses, and shows what is there."""

from __future__ import annotations

import json

from tests.fakes.http_server import Received, Reply, ScriptedServer


class FakePuma(ScriptedServer):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.asked = 0
        self.message = ""  # why it fails

    def kind_of(self, method: str, target: str) -> str:
        del method
        return target.partition("?")[0].rpartition("/")[2]

    def work(self, got: Received) -> Reply:
        if got.kind == "process":
            address = json.loads(got.body).get("url", "")
            if not address.startswith("http"):
                return _json(400, {"message": "The parameter url is missing or is not an URL."})
            self.addresses.append(address)
            return _json(200, {"id": f"id-{len(self.addresses)}"})
        if got.kind == "status" and got.query.get("id", "").startswith("id-"):
            return _json(200, self._status())
        return _json(404, {"message": "There is no such thing."})

    def _status(self) -> dict[str, str]:
        self.asked += 1
        if self.asked <= 2:
            return {"status": ("Started", "Processing")[self.asked - 1]}
        if self.message:
            return {"status": "Error", "message": self.message}
        return {"status": "Finished", "url": f"{self.base}/tool/data-exploration?id=42"}


def _json(status: int, document: object) -> Reply:
    return Reply(status, json.dumps(document).encode(), {"Content-Type": "application/json"})
