"""Jobs, what happened to them, what came of them, and the table of work that is due."""

from jobs.models.callback import CallbackEvent, CallbackState, JobCallback
from jobs.models.due import Due, WorkerBeat
from jobs.models.job import Door, Job, JobEvent
from jobs.models.output import JobOutput
from jobs.models.sharing import JobLabel, JobShare

__all__ = (
    "CallbackEvent",
    "CallbackState",
    "Door",
    "Due",
    "Job",
    "JobCallback",
    "JobEvent",
    "JobLabel",
    "JobOutput",
    "JobShare",
    "WorkerBeat",
)
