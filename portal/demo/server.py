"""The provider's addresses around PyWPS: results and status documents, look-up, welcome page.

PyWPS serves neither what it stores nor an answer to “did my request arrive?”; this does. Every
Execute request is written down before PyWPS sees it (see `references`).
"""

from __future__ import annotations

import base64
import html
import logging
import mimetypes
import re
import time
import uuid
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

from werkzeug.exceptions import NotFound
from werkzeug.test import EnvironBuilder
from werkzeug.utils import send_from_directory
from werkzeug.wrappers import Request, Response

from portal.demo.job import REFERENCE, RUN_AS
from portal.demo.references import FORM, Received, References

log = logging.getLogger("provider")

HEADER = "X-Remote-Ref"
MOST_BYTES = 20 * 2**20
XML = "text/xml; charset=utf-8"
_EXECUTE = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?Execute[\s>]")
_MEDIA_TYPES = {".tif": "image/tiff", ".geojson": "application/geo+json", ".csv": "text/csv"}
for _suffix, _media_type in _MEDIA_TYPES.items():
    mimetypes.add_type(_media_type, _suffix)

StartResponse = Callable[..., Any]


class Server:
    """A WSGI application: `/wps`, `/outputs/…`, `/scene/…`, `/lookup/<reference>`, `/`."""

    def __init__(self, wps: Any, references: References, folder: Path, scene: Path) -> None:
        self.wps = wps
        self.references = references
        self.outputs = folder / "outputs"
        self.scene = scene
        self.log = folder / "requests.log"

    def __call__(self, environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        request.max_content_length = MOST_BYTES
        response = self._answer(request)
        return response(environ, start)

    def _answer(self, request: Request) -> Response:
        first, _, rest = request.path.lstrip("/").partition("/")
        if first == "wps" and not rest:
            return self._wps(request)
        if request.method not in ("GET", "HEAD"):
            return Response("Only GET here.\n", 405, mimetype="text/plain")
        folders = {"outputs": self.outputs, "scene": self.scene}
        if first in folders and not Path(rest).name.startswith("."):
            return self._file(request, folders[first], rest)
        if first == "lookup":
            return self._lookup(rest)
        if request.path == "/":
            return Response(_welcome(request), mimetype="text/html")
        return Response("Not found.\n", 404, mimetype="text/plain")

    def _file(self, request: Request, folder: Path, name: str) -> Response:
        """A stored file, whole or the range asked for."""
        try:
            if re.fullmatch(r"[0-9a-f-]+\.xml", name):
                # Read at once: it may be replaced between a look at its length and the reading.
                return _document((folder / name).read_text(encoding="utf-8"))
            return send_from_directory(folder, name, request.environ)
        except (NotFound, FileNotFoundError):
            return Response("Not found.\n", 404, mimetype="text/plain")

    def _wps(self, request: Request) -> Response:
        body = request.get_data()
        if not _is_execute(request, body):
            return Response.from_app(self.wps, _with_body(request, body), buffered=True)
        given = request.headers.get(HEADER, "")
        reference = given or f"unnamed-{uuid.uuid4()}"
        if not FORM.fullmatch(reference):
            return _report(400, "InvalidParameterValue", f"{HEADER} is no usable reference.")
        self._write_down(reference)
        received = Received(
            method=request.method,
            query=request.query_string.decode("latin-1"),
            content_type=request.content_type or "",
            body=base64.b64encode(body).decode(),
            named=bool(given),
        )
        if not self.references.arrive(reference, received):
            return _report(409, "NoApplicableCode", "A request with this reference came before.")
        return self._execute(reference, _with_body(request, body))

    def _execute(self, reference: str, environ: dict[str, Any]) -> Response:
        response = Response.from_app(self.wps, {**environ, REFERENCE: reference}, buffered=True)
        if response.status_code >= 400:  # noqa: PLR2004 (refused: nothing runs)
            self.references.forget(reference)
        else:
            self.references.answered(reference, response.get_data())
        return response

    def begin(self, reference: str) -> None:
        """Take a stored request that PyWPS has not seen yet, as if it came now."""
        self._execute(reference, self._stored(reference))

    def run_job(self, reference: str) -> None:
        """Run a stored request that PyWPS has accepted; in the job's own process."""
        environ = {**self._stored(reference), RUN_AS: self.references.uuid(reference)}
        self._execute(reference, environ)

    def _stored(self, reference: str) -> dict[str, Any]:
        received = self.references.request(reference)
        return EnvironBuilder(
            path="/wps",
            method=received.method,
            query_string=received.query,
            content_type=received.content_type or None,
            data=base64.b64decode(received.body),
        ).get_environ()

    def _lookup(self, reference: str) -> Response:
        """404: it never arrived; 202: it did, with nothing to show yet; 200: what there is."""
        if not self.references.known(reference):
            return Response("This reference is not known.\n", 404, mimetype="text/plain")
        document = self.references.answer(reference)
        identifier = self.references.uuid(reference)
        if identifier and (self.outputs / f"{identifier}.xml").exists():
            document = (self.outputs / f"{identifier}.xml").read_text(encoding="utf-8")
        if document is None:
            return Response("It has arrived.\n", 202, mimetype="text/plain")
        return _document(document)

    def _write_down(self, reference: str) -> None:
        """One line per Execute request that arrived, whatever becomes of it."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        with self.log.open("a") as file:
            file.write(f"{stamp} Execute {reference}\n")


def _is_execute(request: Request, body: bytes) -> bool:
    if request.method == "POST":
        return bool(_EXECUTE.search(body, 0, 4096))
    values = {name.lower(): value for name, value in request.args.items()}
    return values.get("request", "").lower() == "execute"


def _with_body(request: Request, body: bytes) -> dict[str, Any]:
    """The request's environment with the body unread."""
    return {**request.environ, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}


def _document(text: str) -> Response:
    return Response(text, content_type=XML, headers={"Cache-Control": "no-store"})


def _report(status: int, code: str, text: str) -> Response:
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows/1.1" version="1.0.0">'
        f'<ows:Exception exceptionCode="{code}"><ows:ExceptionText>{html.escape(text)}'
        "</ows:ExceptionText></ows:Exception></ows:ExceptionReport>"
    )
    return Response(document, status, content_type=XML)


def _welcome(request: Request) -> str:
    address = html.escape(f"{request.host_url}wps?service=WPS&request=GetCapabilities")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Demo processing centre</title>'
        "<h1>Demo processing centre</h1><p>A Web Processing Service (WPS 1.0.0) over a small "
        f'made-up scene. <a href="{address}">Its capabilities</a>, '
        '<a href="scene/scene.json">the scene</a>.</p></html>'
    )
