"""Real servers of catalogues in processes of their own, each in a folder of the test.

TEP_SERVERS is the `bin` of an environment with those that cannot live in this one: pycsw wants an
older OWSLib and SQLAlchemy. TEP_PGSTAC is the address of a running stac-fastapi-pgstac with
transactions, whose collections the tests replace.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.stack import free_port

PGSTAC = os.environ.get("TEP_PGSTAC", "")
needs_pgstac = pytest.mark.skipif(not PGSTAC, reason="TEP_PGSTAC names no server")
BIN = Path(os.environ.get("TEP_SERVERS", Path(sys.executable).parent))
START_SECONDS = 60
_PYCSW = """
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server
from pycsw.core import admin, config
from pycsw.wsgi import application
folder, port = sys.argv[1:]
database = f"sqlite:///{folder}/records.db"
admin.setup_db(database, "records", folder)
admin.load_records(config.StaticContext(), database, "records", f"{folder}/records", True)
make_server("127.0.0.1", int(port), application).serve_forever()
"""
_CONFIG = """
[server]
home={folder}
url={url}
mimetype=application/xml; charset=UTF-8
encoding=UTF-8
language=en-US
maxrecords=10
loglevel=WARNING
logfile={folder}/pycsw.log
profiles=apiso
[manager]
transactions=true
allowed_ips=127.0.0.1
csw_harvest_pagesize=10
[metadata:main]
identification_title=Centre P
identification_abstract=d
identification_keywords=a
identification_keywords_type=theme
identification_fees=None
identification_accessconstraints=None
provider_name=P
provider_url=https://example.org/
contact_name=P
contact_position=p
contact_address=a
contact_city=c
contact_stateorprovince=s
contact_postalcode=1
contact_country=c
contact_phone=1
contact_fax=1
contact_email=a@example.org
contact_url=https://example.org/
contact_hours=h
contact_instructions=i
contact_role=pointOfContact
[repository]
database=sqlite:///{folder}/records.db
table=records
"""


@contextmanager
def running(command: list[str], folder: Path, **environment: str) -> Iterator[None]:
    """What it prints is in the file `log` of the folder."""
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            command, env={**os.environ, **environment}, cwd=folder, stdout=log, stderr=log
        )
    try:
        yield
    finally:
        server.terminate()
        server.wait(10)


@contextmanager
def pycsw(folder: Path, records: Mapping[str, str]) -> Iterator[str]:
    """The address of a pycsw that has these documents of metadata and takes others; skips without.

    It says at its address which doors it has: CSW 3.0 and 2.0.2, OpenSearch, SRU, OAI-PMH.
    """
    python = BIN / "python"
    code = "import pycsw.server, sqlalchemy.orm as s; s.create_session"
    asked = subprocess.run([python, "-c", code], capture_output=True, check=False)
    if asked.returncode:
        pytest.skip("pycsw is not installed where TEP_SERVERS says")
    url = f"http://127.0.0.1:{free_port()}/"
    (folder / "records").mkdir()
    for name, text in records.items():
        (folder / "records" / f"{name}.xml").write_text(text)
    (folder / "pycsw.cfg").write_text(_CONFIG.format(folder=folder, url=url))
    command = [str(python), "-c", _PYCSW, str(folder), url.strip("/").rpartition(":")[2]]
    with running(command, folder, PYCSW_CONFIG=str(folder / "pycsw.cfg")):
        until_answered(lambda: urlopen(url), folder / "log")
        yield url


def pgstac_collections(collections: Mapping[str, list[dict[str, Any]]]) -> None:
    """The server has these collections, with these items, and no others."""
    there = json.loads(_sent("GET", "/collections"))["collections"]
    for one in there:
        _sent("DELETE", f"/collections/{one['id']}")
    for name, items in collections.items():
        extent = {
            "spatial": {"bbox": [[-180, -90, 180, 90]]},
            "temporal": {"interval": [[None, None]]},
        }
        document = {"type": "Collection", "stac_version": "1.0.0", "id": name, "description": "d",
                    "license": "other", "extent": extent, "links": []}  # fmt: skip
        _sent("POST", "/collections", document)
        if items:
            whole = {"type": "FeatureCollection", "features": items}
            _sent("POST", f"/collections/{name}/items", whole)


def _sent(method: str, path: str, document: dict[str, Any] | None = None) -> bytes:
    body = None if document is None else json.dumps(document).encode()
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(PGSTAC.rstrip("/") + path, body, headers, method=method)) as answer:
        return bytes(answer.read())


def until_answered(
    ask: Callable[[], object], log: Path, silent: type[Exception] = OSError
) -> object:
    """What the server answers as soon as it does."""
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            return ask()
        except silent as error:
            if time.monotonic() > end:
                pytest.fail(f"{error}\n{log.read_text()[-3000:]}")
            time.sleep(0.3)
