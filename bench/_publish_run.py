"""The run of `bench.catalogue_publish`, in a database and a process of its own.

python -m bench._publish_run <folder> <jobs>
"""

from __future__ import annotations

import resource
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import Process, Queue
from pathlib import Path

import django

django.setup()

import numpy as np  # noqa: E402 (Django's models need it set up first)
import rasterio  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from rasterio.transform import from_origin  # noqa: E402

from accounting.accounts import group_account  # noqa: E402
from accounting.credit.transfers import issue_credit  # noqa: E402
from accounting.models import Unit  # noqa: E402
from accounting.prices.price_lists import RateSpec, publish_rates  # noqa: E402
from catalogue_client import raster_processes  # noqa: E402
from catalogue_client.raster_child.picture import preview  # noqa: E402
from catalogue_client.raster_child.place import describe  # noqa: E402
from catalogue_client.services import publish as publish_record  # noqa: E402
from jobs.lifecycle import submit  # noqa: E402
from jobs.models import Due, Job  # noqa: E402
from jobs.result_records import record_of  # noqa: E402
from jobs.results import publish_job  # noqa: E402
from jobs.states import State  # noqa: E402
from jobs.transitions import apply, lock, move  # noqa: E402
from jobs.worker import Worker  # noqa: E402
from people.models import Group, Membership, User  # noqa: E402
from providers.models import Provider, ProviderState, Service, ServiceVersion  # noqa: E402
from providers.ports import RemoteState, RemoteStatus  # noqa: E402
from providers.process import (  # noqa: E402
    InputDescription,
    LiteralDomain,
    LiteralValue,
    OutputValue,
    ProcessDescription,
    ReferenceValue,
)

CREDIT = 1_000_000
SIDE = 512  # pixels
EACH = 2  # outputs of a job


def main() -> None:
    folder, jobs = Path(sys.argv[1]), int(sys.argv[2])
    settings.MEDIA_ROOT = folder / "media"
    call_command("migrate", verbosity=0)
    path = scene(folder / "result.tif")
    alone = in_process(look_alone, path, 20)
    with served(folder) as base:
        made = seed(base)
        for _ in range(jobs):
            finished(*made, base, EACH)
        cpu, rate = drained(jobs * EACH)
        grown, *told = large(made, base)
    keys = ("transactions", "statements", "statements10")
    print(
        f"outputs={jobs * EACH} cpu={cpu:.4f} rate={rate:.1f} alone={alone:.4f} grown={grown:.1f}"
    )
    print(" ".join(f"{key}={value}" for key, value in zip(keys, told, strict=True)))


def scene(path: Path) -> Path:
    """An index as of vegetation: smooth fields, with a little noise."""
    x, y = np.meshgrid(*[np.linspace(0, 12, SIDE)] * 2)
    noise = np.random.default_rng(1).random((SIDE, SIDE)) / 50
    data = (np.sin(x) * np.cos(y) / 2 + noise).astype("float32")[None]
    profile = {"driver": "GTiff", "width": SIDE, "height": SIDE, "count": 1, "dtype": "float32"}
    grid = from_origin(430_000, 4_540_000, 20, 20)
    with rasterio.open(path, "w", crs="EPSG:32633", transform=grid, **profile) as file:
        file.write(data)
    return path


def in_process(work: object, *arguments: object) -> float:
    """What the function gives, run in a process that ends then."""
    answers: Queue[float] = Queue()
    process = Process(target=work, args=(*arguments, answers))  # type: ignore[arg-type]
    process.start()
    found = answers.get()
    process.join()
    return found


def look_alone(path: Path, times: int, answers: Queue[float]) -> None:
    """Processor seconds to describe and draw a file, the libraries being loaded."""
    for run in range(2):
        started = time.process_time()
        for _ in range(times if run else 1):
            with rasterio.open(path) as source:
                describe(source)
                preview(source, 1024)
    answers.put((time.process_time() - started) / times)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder at an address, by a process whose time does not count."""
    ports: Queue[int] = Queue()
    process = Process(target=serve, args=(folder, ports), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ports.get()}"
    finally:
        process.kill()


def serve(folder: Path, ports: Queue[int]) -> None:
    class Quiet(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    ports.put(server.server_address[1])
    server.serve_forever()


def seed(base: str) -> tuple[User, Service, object]:
    operator = User.objects.create_superuser("operator", password=None)
    group = Group.objects.create(slug="bench", name="Bench")
    Membership.objects.create(group=group, user=operator)
    account = group_account(group)
    issue_credit(
        actor=operator, account=account, amount=10**7 * CREDIT, reason="bench", key="bench"
    )
    provider = Provider.objects.create(
        owner=operator, slug="bench", name="Bench", url=f"{base}/wps", state=ProviderState.APPROVED
    )
    message = InputDescription("message", LiteralDomain(), "Message")
    process = ProcessDescription("run", "Run", "", "1.0", inputs=(message,))
    service = Service.objects.create(
        provider=provider, identifier="run", title="Run", abstract="", enabled=True
    )
    service.current = ServiceVersion.objects.create(
        service=service, number=1, fingerprint="f", version="1.0", document=process.to_json()
    )
    service.save()
    publish_rates(
        actor=operator, provider_id=provider.pk, rates={(0, Unit.JOB): RateSpec(price=CREDIT)}
    )
    return operator, service, account


def finished(user: User, service: Service, account: object, base: str, outputs: int) -> Job:
    """A job with so many outputs that waits to be published."""
    job = submit(
        actor=user,
        service=service,
        inputs=(LiteralValue("message", "hello"),),
        account=account,  # type: ignore[arg-type]
        door="web",
    )
    move(lock(job.pk), State.SUBMITTING, actor="worker")
    apply(job.pk, RemoteStatus(RemoteState.RUNNING, "t", "w", remote_id="r"), actor="worker")
    given = tuple(
        OutputValue(ReferenceValue("result", f"{base}/result.tif?{job.pk}-{n}", "image/tiff"))
        for n in range(outputs)
    )
    apply(job.pk, RemoteStatus(RemoteState.SUCCEEDED, "t", "w", outputs=given), actor="worker")
    return job


def processor() -> float:
    """Seconds of this process and of those that ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(r.ru_utime + r.ru_stime for r in map(resource.getrusage, kinds))


def drained(outputs: int) -> tuple[float, float]:
    """Processor seconds for each output, and outputs a second by the clock."""
    Due.objects.exclude(kind="publish").delete()
    started, begun = time.monotonic(), processor()
    worker = Worker(threads=4)
    worker.start()
    while Due.objects.filter(kind="publish", done_at=None).exists():
        time.sleep(0.5)
    spent = time.monotonic() - started
    worker.stop()
    while raster_processes._free:
        raster_processes._free.pop().stop()
    left = Job.objects.filter(published_at=None).count()
    if left:
        raise SystemExit(f"{left} jobs are not published")
    return (processor() - begun) / outputs, outputs / spent


def large(made: tuple[User, Service, object], base: str) -> tuple[float, int, int, int]:
    """Memory for 100 outputs against 10, transactions and statements of writing each record."""
    few, many = (finished(*made, base, n) for n in (10, 100))
    Due.objects.all().delete()
    peaks, statements, transactions = [], [], []
    for job in (few, many):
        with peak() as most:
            publish_job(job.pk)
        peaks.append(most[0])
        record = record_of(Job.objects.get(pk=job.pk))
        with CaptureQueriesContext(connection) as captured:
            publish_record(record=record)
        queries = [q["sql"] for q in captured.captured_queries]
        transactions.append(sum(sql.startswith("BEGIN") for sql in queries))
        statements.append(len(queries))
    return peaks[1] - peaks[0], transactions[1], statements[1], statements[0]


@contextmanager
def peak() -> Iterator[list[float]]:
    """The most memory in MB that this process has meanwhile, more than at the beginning."""
    before, most, over = resident(), [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            most[0] = max(most[0], resident() - before)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        over.set()
        thread.join()


def resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    main()
