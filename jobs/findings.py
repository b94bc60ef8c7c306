"""Files that outputs tell of: feeds, metalinks, STAC, references inside documents.

Each becomes an output of the job besides those that the run gave, so that it is shown, downloaded,
copied and published like them. What cannot be used is written at the output that tells of it, and
is no failure of anything.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urlsplit

from django.db.models import Max
from django.utils.translation import gettext as _

from catalogue_client.publishing.reading import Entry, File, Reading, read
from catalogue_client.publishing.reading.documents import MOST_BYTES
from catalogue_client.stac import instant_text
from common.errors import InvalidInput, NotFound, ProviderError
from jobs.models import Job, JobOutput
from jobs.outputs import open_original
from providers.process import ReferenceValue
from providers.registry import driver_for

MOST_FILES = 1000  # of one job
MOST_DOCUMENTS = 200  # read for one output
MOST_IN_ALL = 64 * 2**20  # bytes of those
DEEPEST = 4  # documents that tell of documents
MOST_PROBLEMS = 20
_DOCUMENTS = (".atom", ".json", ".meta4", ".metalink", ".xml")


@dataclass
class Found:
    """What an output tells of: files by address, and what could not be used."""

    files: dict[str, File] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    search: bool = False

    @property
    def any(self) -> bool:
        return bool(self.files or self.problems or self.search)

    def problem(self, text: str) -> None:
        if len(self.problems) < MOST_PROBLEMS and text not in self.problems:
            self.problems.append(text)


def look(output: JobOutput, path: Path, *, last_try: bool, alive: Callable[[], object]) -> Found:
    """What the output, whose bytes are at `path`, tells of.

    Further documents are fetched from the provider, as its own results are. Raises ProviderError
    when one cannot be had now, unless it is the `last_try`. `alive` is called between documents.
    """
    found = Found()
    value = output.value
    if path.stat().st_size > MOST_BYTES:
        return found
    source = value.href if isinstance(value, ReferenceValue) else ""
    budget = MOST_IN_ALL
    documents = deque([(source, 0)])
    seen = {source}
    while documents:
        href, depth = documents.popleft()
        alive()
        data = _fetched(output, href, found, last_try=last_try) if depth else path.read_bytes()
        budget -= len(data)
        if budget < 0:
            found.problem(_("The documents are larger than what is read of them."))
            break
        reading = _read(data, href, found)
        if reading is None:
            continue
        _take(output, reading, found)
        if href in found.files and (reading.files or reading.further):
            found.files[href] = replace(found.files[href], role="metadata")
        new = [one for one in _further(output, reading, found) if one not in seen]
        if new and (depth >= DEEPEST or len(seen) + len(new) > MOST_DOCUMENTS):
            found.problem(_("More documents are named than are read."))
            continue
        seen.update(new)
        documents.extend((one, depth + 1) for one in new)
    return found


def store(output: JobOutput, found: Found) -> None:
    """Write what was found; in the transaction that says that the output was looked at.

    The job is locked. The same file found twice is one output.
    """
    job = output.job
    given = job.outputs.exclude(pk=output.pk).filter(kind="reference")
    known = {_href(one) for one in given.only("document")} | {_href(output)}
    number = job.outputs.aggregate(n=Max("number"))["n"] or 0
    rows: list[JobOutput] = []
    for href, file in found.files.items():
        if href in known:
            continue
        if len(known) + len(rows) > MOST_FILES:
            found.problem(_("More files are named than are taken in."))
            break
        number += 1
        rows.append(_row(output, file, number))
    JobOutput.objects.bulk_create(rows)
    if found.files or found.search:
        output.facts = {"role": "search" if found.search else "metadata"}
    output.problems = found.problems


def _row(output: JobOutput, file: File, number: int) -> JobOutput:
    value = ReferenceValue(output.identifier, file.href, media_type=_clean(file.media_type)[:200])
    return JobOutput(
        job=output.job,
        number=number,
        found_in=output.number,
        identifier=output.identifier,
        title=_clean(file.title or file.entry.title)[:255],
        kind="reference",
        media_type=value.media_type,
        document=asdict(value),
        footprint=list(file.entry.bbox) if file.entry.bbox else None,
        facts=_facts(output, file),
    )


def _facts(output: JobOutput, file: File) -> dict[str, Any]:
    entry = file.entry
    told: dict[str, Any] = {
        "role": "" if file.role == "data" else file.role,
        "entry": _clean(entry.identifier),
        "geometry": entry.geometry,
        "start": instant_text(entry.start) if entry.start else "",
        "end": instant_text(entry.end) if entry.end else "",
        "sha256": file.sha256,
        # The provider's own addresses are nobody's to see.
        "via": [href for href in entry.via[:100] if _is_address(href) and not _may(output, href)],
    }
    return {name: value for name, value in told.items() if value}


def _further(output: JobOutput, reading: Reading, found: Found) -> list[str]:
    """The documents to read next."""
    named = tuple(file.href for file in reading.files if _may_tell(file))
    return list(dict.fromkeys(_own(output, reading.further + named, found)))


def _may_tell(file: File) -> bool:
    """Whether a file of which nothing else is known may be a document that tells of others."""
    return file.entry == Entry() and urlsplit(file.href).path.lower().endswith(_DOCUMENTS)


def _take(output: JobOutput, reading: Reading, found: Found) -> None:
    found.search = found.search or reading.search
    for text in reading.problems:
        found.problem(text)
    by_href = {urldefrag(file.href).url: file for file in reading.files}
    for href in _own(output, tuple(by_href), found):
        new, old = by_href[href], found.files.get(href)
        if old is not None:  # a feed says where, the metalink beside it how large
            new = replace(
                new,
                entry=new.entry if new.entry != Entry() else old.entry,
                size=new.size if new.size is not None else old.size,
                sha256=new.sha256 or old.sha256,
                title=new.title or old.title,
            )
        found.files[href] = replace(new, href=href)


def _own(output: JobOutput, hrefs: tuple[str, ...], found: Found) -> list[str]:
    """Those that lie at the provider; of others the portal knows nothing, and asks for nothing."""
    sent = _sent_in(output.job)
    hrefs = tuple(href for href in hrefs if not any(href in text for text in sent))
    own = [href for href in hrefs if _may(output, href)]
    if len(own) < len(hrefs):
        found.problem(_("Addresses outside the provider are named; they are left out."))
    return own


def _may(output: JobOutput, href: str) -> bool:
    provider = output.job.service.provider
    return driver_for(provider).may_fetch(provider.endpoint(), href)


def _fetched(output: JobOutput, href: str, found: Found, *, last_try: bool) -> bytes:
    """A further document; empty when it is not to be had."""
    value = ReferenceValue(output.identifier, href)
    document = JobOutput(job=output.job, kind="reference", document=asdict(value))
    data = bytearray()
    try:
        with open_original(document) as source:
            for chunk in source.chunks:
                data += chunk
                if len(data) > MOST_BYTES:
                    found.problem(_("A document that is named is too large to be read."))
                    return b""
    except NotFound:
        found.problem(_("A document that is named is not there."))
        return b""
    except ProviderError:
        if not last_try:
            raise
        found.problem(_("A document that is named cannot be had."))
        return b""
    return bytes(data)


def _read(data: bytes, href: str, found: Found) -> Reading | None:
    try:
        return read(data, source=href)
    except InvalidInput as error:
        found.problem(_("A document cannot be understood: %(why)s") % {"why": error.detail[:200]})
        return None


def _sent_in(job: Job) -> list[str]:
    """What the user sent. An address in it that the process only gives back is never asked for:
    else users could name addresses that the portal calls with the provider's credentials."""
    texts = [getattr(one, "value", "") or getattr(one, "data", "") for one in job.input_values]
    return [text for text in texts if "://" in text]


def _href(output: JobOutput) -> str:
    return urldefrag(str(output.document.get("href", ""))).url


def _is_address(href: str) -> bool:
    return href.startswith(("http://", "https://")) and len(href) <= 2000  # noqa: PLR2004


def _clean(text: str) -> str:
    """Without what no database and no document can hold."""
    return "".join(c for c in text if c.isprintable() or c == " ").strip()
