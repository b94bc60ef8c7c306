"""Reads one raster file for `catalogue_client.raster`; runs as a script in a process of its own.

    main.py describe <driver> <path>          → JSON on standard output
    main.py preview <driver> <path> <size>    → PNG on standard output

A refusal is one line of JSON on standard error, {"code", "detail"}, and exit status 1.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path

import rasterio
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from catalogue_client.raster_child.picture import preview
from catalogue_client.raster_child.place import describe
from catalogue_client.raster_child.refusal import RefusalError

MEMORY = 2 * 2**30
CPU_SECONDS = 60


def main(verb: str, driver: str, path: str, *arguments: str) -> bytes:
    answers: dict[str, Callable[[DatasetReader], bytes]] = {
        "describe": lambda source: json.dumps(describe(source)).encode(),
        "preview": lambda source: preview(source, int(arguments[0])),
    }
    with rasterio.Env(), rasterio.open(path, driver=driver) as source:
        return answers[verb](source)


def refused(code: str, detail: str) -> int:
    sys.stderr.write("\n" + json.dumps({"code": code, "detail": detail[:300]}) + "\n")
    return 1


def run(arguments: list[str]) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        answer = main(*arguments)
    except RefusalError as refusal:
        return refused(refusal.code, str(refusal))
    except MemoryError:
        return refused("too_large", "out of memory")
    except (RasterioError, ValueError, OverflowError) as error:
        return refused("damaged", str(error))
    sys.stdout.buffer.write(answer)
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
