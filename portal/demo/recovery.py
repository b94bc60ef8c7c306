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
    unfinished = _unfinished()
    waiting = []
    for reference in references.all():
        uuid = references.uuid(reference)
        if uuid is None:
            settled = references.answer(reference) is not None
        else:
            settled = uuid not in unfinished or references.reported(uuid)
        if not (settled or (uuid and _alive(unfinished[uuid]))):
            waiting.append(reference)
    return waiting


def _unfinished() -> dict[str, int]:
    """Identifiers of jobs that have not ended, and the process that had them last."""
    session = dblog.get_session()
    try:
        found = session.query(dblog.ProcessInstance).filter(
            dblog.ProcessInstance.operation == "execute",
            dblog.ProcessInstance.percent_done.is_distinct_from(FINAL),
        )
        return {str(row.uuid): int(row.pid) for row in found}
    finally:
        session.close()


def _alive(pid: int) -> bool:
    """Whether that process still runs a job of ours; numbers of processes are used again."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False
    return MARK in command and pid != os.getpid()
