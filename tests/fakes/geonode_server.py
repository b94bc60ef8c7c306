"""A GeoNode 4 or 5 on 127.0.0.1, with what is awkward about it.

Executions take `polls` questions, the dataset is not found for `hidden` more after “finished”,
permissions change one question after they were asked for, names are lower-cased and suffixed.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from email import message_from_bytes
from typing import Any
from urllib.parse import unquote

from tests.fakes.http_server import Received, Reply, ScriptedServer

USER, PASSWORD = "tep-portal", "let me in"
LOGIN = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


class FakeGeoNode(ScriptedServer):
    def __init__(self, version: int = 5) -> None:
        super().__init__()
        self.version = version
        self.polls, self.hidden, self.most_at_once = 2, 2, 5
        self.log = ""  # why the next imports fail
        self.stuck = False
        self.executions: dict[str, dict[str, Any]] = {}
        self.datasets: dict[int, dict[str, Any]] = {}
        self.uploads: list[dict[str, Any]] = []

    def kind_of(self, method: str, target: str) -> str:
        path = target.partition("?")[0]
        known = {
            r"/api/v2/uploads/upload": "upload",
            r"/api/v2/executionrequest/[^/]+": "execution",
            r"/api/v2/datasets": "find",
            r"/api/v2/datasets/\d+": "dataset",
            r"/api/v2/resources/\d+/permissions": "permissions",
            r"/api/v2/resources/\d+/delete": "delete",
        }
        return next((k for p, k in known.items() if re.fullmatch(p, path)), "any")

    def work(self, got: Received) -> Reply:
        if got.headers.get("authorization") != LOGIN:
            return _json(403, {"detail": "You do not have permission to perform this action."})
        number = int((re.findall(r"/(\d+)", got.path.removeprefix("/api/v2")) or ["0"])[0])
        if got.kind in ("dataset", "permissions", "delete") and number not in self.datasets:
            return _json(404, {"detail": "Not found."})
        return getattr(self, f"_{got.kind}", lambda *_: Reply(404))(got, number)

    def _upload(self, got: Received, _number: int) -> Reply:
        head = f"Content-Type: {got.headers['content-type']}\r\n\r\n".encode()
        parts = {}
        for part in message_from_bytes(head + got.body).get_payload():
            name = part.get_param("name", header="content-disposition")
            parts[name] = part.get_payload(decode=True)
            if part.get_filename():
                parts["file_name"] = part.get_filename()
        running = [e for e in self.executions.values() if e["polls"] > 0]
        if len(running) >= self.most_at_once:
            said = {"success": False, "errors": ["The number of active parallel uploads exceeds"]}
            return _json(400, {**said, "code": "upload_parallelism_limit_exceeded"})
        if (self.version > 4) != (parts.get("action") == b"upload"):
            return Reply(500, b"No handlers found")
        self.uploads.append(parts)
        key = str(uuid.uuid4())
        self.executions[key] = {"polls": self.polls, "name": parts["file_name"], "pk": 0}
        return _json(201, {"execution_id": key})

    def _execution(self, got: Received, _number: int) -> Reply:
        execution = self.executions.get(got.path.rpartition("/")[2])
        if execution is None:
            return _json(404, {"detail": "Not found."})
        said: dict[str, Any] = {"status": "running", "log": None, "output_params": {}}
        if self.stuck:
            return _json(200, {"request": said})
        execution["polls"] -= 1
        if execution["polls"] > 0:
            return _json(200, {"request": said})
        if self.log:
            return _json(200, {"request": {**said, "status": "failed", "log": self.log}})
        pk = self.finish(execution)
        page = f"/catalogue/#/dataset/{pk}"
        output: dict[str, Any] = {"resources": [{"id": pk, "detail_url": page}]}
        if self.version == 4:
            output = {"detail_url": [page], "failed_layers": []}
        return _json(200, {"request": {**said, "status": "finished", "output_params": output}})

    def finish(self, execution: dict[str, Any]) -> int:
        """The dataset that an execution made."""
        if not execution["pk"]:
            execution["pk"] = pk = 411 + len(self.datasets)
            stem = execution["name"].rpartition(".")[0].lower()
            name = re.sub(r"[^a-z0-9]", "_", stem) + "_0"
            self.datasets[pk] = {
                "hidden": self.hidden,
                "users": [{"id": 1000, "permissions": "owner", "username": USER}],
                "groups": [{"id": 2, "permissions": "edit", "title": "Editors"}],
                "coming": None,
                "title": name,
                "alternate": f"geonode:{name}",
            }
        return int(execution["pk"])

    def _dataset(self, got: Received, number: int) -> Reply:
        dataset = self.datasets[number]
        if dataset["hidden"] > 0:
            dataset["hidden"] -= 1
            return _json(404, {"detail": "Not found."})
        if got.method == "PATCH":
            dataset |= json.loads(got.body)
        ows = f"{self.base}/geoserver/ows"
        links = [
            {"link_type": "OGC:WMS", "mime": "text/html", "url": ows},
            {"link_type": "OGC:WCS", "mime": "text/html", "url": ows},
            {"link_type": "image", "mime": "image/jpeg", "url": f"{self.base}/thumb.jpg"},
        ]
        shown = {"pk": str(number), "detail_url": f"/catalogue/#/dataset/{number}", "links": links}
        named = {name: dataset[name] for name in ("title", "alternate")}
        return _json(200, {"dataset": {**shown, **named, "state": "PROCESSED"}})

    def _find(self, got: Received, _number: int) -> Reply:
        wanted = got.query.get("filter{alternate.icontains}", "")
        rows = [
            {"pk": str(pk), "alternate": d["alternate"]}
            for pk, d in self.datasets.items()
            if unquote(wanted).lower() in d["alternate"]
        ]
        return _json(200, {"datasets": rows, "total": len(rows), "page": 1, "page_size": 2})

    def _permissions(self, got: Received, number: int) -> Reply:
        dataset = self.datasets[number]
        if got.method == "PUT":
            dataset["coming"] = json.loads(got.body)
            said = {"status": "ready", "execution_id": str(uuid.uuid4()), "status_url": "/x"}
            return _json(200, said)
        if dataset["coming"] is not None:
            dataset |= dataset["coming"] | {"coming": None}
        return _json(200, {"users": dataset["users"], "groups": dataset["groups"]})

    def _delete(self, _got: Received, number: int) -> Reply:
        del self.datasets[number]
        return _json(200, {"status": "ready", "execution_id": str(uuid.uuid4())})

    def seen_by_strangers(self, number: int) -> bool:
        users = self.datasets[number]["users"]
        return any(u["id"] == -1 and u["permissions"] != "none" for u in users)


def _json(status: int, document: object) -> Reply:
    return Reply(status, json.dumps(document).encode(), {"Content-Type": "application/json"})
