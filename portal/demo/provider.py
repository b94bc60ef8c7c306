"""python -m portal.demo.provider: a real PyWPS server in a process of its own.

It knows nothing of the portal: it is a processing centre as any other would be.
"""

from __future__ import annotations

import argparse
import faulthandler
import logging
import signal
import socket
import sys
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

from waitress.server import create_server

from common.guard import is_public
from portal.demo.database import queue_writers
from portal.demo.job import DemoService, Site
from portal.demo.processes import change_between_dates, spectral_index
from portal.demo.recovery import interrupted
from portal.demo.references import References
from portal.demo.scene import ensure_scene
from portal.demo.server import Server
from portal.demo.simple import simple_processes
from portal.demo.spawner import Spawner
from portal.demo.zones import zonal_statistics

log = logging.getLogger("provider")

THREADS = 16
JOBS = 8  # at a time
_PORTS = {"http": 80, "https": 443}


def main() -> None:
    arguments = _arguments()
    faulthandler.register(signal.SIGUSR1)  # where all threads are, into the log
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    for name, level in (("provider", "INFO"), ("waitress", "WARNING"), ("PYWPS", "WARNING")):
        logging.getLogger(name).setLevel(level)
    queue_writers()
    server, spawner = application(arguments)
    # Found before the port is open: what comes in from now on is not to be run on.
    waiting = interrupted(server.references)
    listener = create_server(
        server, host=arguments.host, port=arguments.port, threads=THREADS, ident="demo"
    )
    log.info("listening on port %s", listener.effective_port)
    Thread(target=spawner.watch, daemon=True).start()
    Thread(target=_run_on, args=(server, spawner, waiting), daemon=True).start()
    listener.run()


def _run_on(server: Server, spawner: Spawner, references: list[str]) -> None:
    for reference in references:
        log.info("running on: %s", reference)
        if server.references.uuid(reference):
            spawner.start(reference)
        else:
            server.begin(reference)


def application(arguments: argparse.Namespace) -> tuple[Server, Spawner]:
    """The WSGI application over its folder, and the process that begins its jobs."""
    folder = arguments.dir.resolve()
    for name in ("outputs", "work"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    base = f"http://{arguments.host}:{arguments.port}"
    references = References(folder / "references")
    site = Site(
        scene=ensure_scene(arguments.scene or folder / "scene"),
        references=references,
        usage_queue=arguments.usage_queue,
        host=f"{arguments.host}:{arguments.port}",
        start=lambda reference: spawner.start(reference),  # noqa: PLW0108 (made below)
    )
    processes = [
        spectral_index(site),
        change_between_dates(site),
        zonal_statistics(site),
        *simple_processes(site),
    ]
    sources = {_origin(one) for one in (base, *arguments.inputs_from)}
    config = _write_config(folder, base)
    wps = DemoService(processes, config, site, lambda href: _may_read(href, sources))
    server = Server(wps, references, folder, site.scene.folder)
    spawner = Spawner(server.run_job, most=JOBS)
    return server, spawner


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="portal.demo.provider", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--dir", type=Path, default=Path("var/provider"), help="what it writes")
    parser.add_argument("--scene", type=Path, help="the scene's folder; made when it is missing")
    parser.add_argument(
        "--usage-queue", type=Path, default=Path("var/usage/incoming"), help="for usage messages"
    )
    parser.add_argument(
        "--inputs-from",
        action="append",
        default=[],
        metavar="URL",
        help="a server whose files may be inputs although its address is not public",
    )
    return parser.parse_args()


def _write_config(folder: Path, base: str) -> Path:
    """PyWPS's configuration: a database in a file, because its children must see it too."""
    template = (Path(__file__).parent / "pywps.cfg").read_text()
    config = folder / "pywps.cfg"
    config.write_text(template.replace("@FOLDER@", str(folder)).replace("@BASE@", base))
    return config


def _may_read(href: str, sources: set[tuple[str, str, int]]) -> bool:
    """Whether an input may be fetched: from public addresses and from the servers named."""
    try:
        origin = _origin(href)
        if origin in sources:
            return True
        found = socket.getaddrinfo(origin[1], origin[2], type=socket.SOCK_STREAM)
    except (ValueError, OSError):
        return False
    return origin[0] in _PORTS and all(is_public(ip_address(place[4][0])) for place in found)


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)


if __name__ == "__main__":
    main()
