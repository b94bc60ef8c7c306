"""Which jobs a provider that was killed has to run on with."""

from __future__ import annotations

import os
from pathlib import Path

from pywps import dblog

from portal.demo.references import References

FINAL = 100.0  # PyWPS's percentage of a job that has ended, well or badly
MARK = "portal.demo.provider"


def interrupted(references: References) -> list[str]:
    """The references of requests that arrived and neither ended nor are being run, oldest first.

    Call it before the server takes requests. Jobs of a killed server live on in their own
    processes; those are left alone.
    """
    queued, running = _jobs_in_database()
    waiting = []
    for reference in references.all():
        uuid = references.uuid(reference)
        if uuid is None:
            if references.answer(reference) is None:
                waiting.append(reference)
        elif uuid in queued:
            _take_from_queue(uuid)
            waiting.append(reference)
        elif uuid in running and not _alive(running[uuid]) and not references.reported(uuid):
            waiting.append(reference)
    return waiting


def _jobs_in_database() -> tuple[set[str], dict[str, int]]:
    """Identifiers of queued jobs, and of unfinished ones with their process."""
    session = dblog.get_session()
    try:
        queued = {str(row.uuid) for row in session.query(dblog.RequestInstance)}
        unfinished = session.query(dblog.ProcessInstance).filter(
            dblog.ProcessInstance.operation == "execute",
            dblog.ProcessInstance.percent_done.is_distinct_from(FINAL),
        )
        return queued, {str(row.uuid): int(row.pid) for row in unfinished}
    finally:
        session.close()


def _take_from_queue(uuid: str) -> None:
    session = dblog.get_session()
    try:
        session.query(dblog.RequestInstance).filter_by(uuid=uuid).delete()
        session.commit()
    finally:
        session.close()


def _alive(pid: int) -> bool:
    """Whether that process still runs a job of ours; numbers of processes are used again."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False
    return MARK in command and pid != os.getpid()
