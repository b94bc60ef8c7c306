"""Settings of the background work: how often, how long, how many at a time."""

from __future__ import annotations

import environ

env = environ.Env()

# Empty: the worker reads the table of due work by itself. Set: Celery wakes its workers.
CELERY_BROKER_URL = env("CELERY_BROKER_URL", default="")
CELERY_TASK_DEFAULT_QUEUE = env("CELERY_QUEUE", default="tep")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
WORKER_THREADS = env.int("WORKER_THREADS", default=16)
DUE_LEASE_SECONDS = env.int("DUE_LEASE_SECONDS", default=90)
PROVIDER_CONCURRENCY = env.int("PROVIDER_CONCURRENCY", default=8)
# A job handed to a provider whose answer was lost keeps its hold this long, then is given up.
UNKNOWN_OUTCOME_SECONDS = env.int("UNKNOWN_OUTCOME_SECONDS", default=24 * 3600)
# A job that ended without a usage record keeps its hold this long.
USAGE_WAIT_SECONDS = env.int("USAGE_WAIT_SECONDS", default=30 * 24 * 3600)
QUOTE_SECONDS = env.int("QUOTE_SECONDS", default=15 * 60)
# How long a provider may take to say what a run would use; somebody waits for the answer.
QUOTATION_SECONDS = env.float("QUOTATION_SECONDS", default=15)
POLL_SECONDS_FIRST = env.float("POLL_SECONDS_FIRST", default=2)
POLL_SECONDS_MOST = env.float("POLL_SECONDS_MOST", default=300)
USAGE_QUEUE_SECONDS = env.float("USAGE_QUEUE_SECONDS", default=10)
MAIL_SECONDS = env.float("MAIL_SECONDS", default=10)
DISCOVERY_SECONDS = env.int("DISCOVERY_SECONDS", default=24 * 3600)
# Catalogues of centres: seconds between two runs that ask for changes, between two of those that
# can only be read whole, and between full passes; how much a pass may take away unasked, and read.
HARVEST_SECONDS = env.int("HARVEST_SECONDS", default=6 * 3600)
HARVEST_WHOLE_SECONDS = env.int("HARVEST_WHOLE_SECONDS", default=24 * 3600)
HARVEST_FULL_SECONDS = env.int("HARVEST_FULL_SECONDS", default=7 * 24 * 3600)
HARVEST_MOST_REMOVED_PERCENT = env.int("HARVEST_MOST_REMOVED_PERCENT", default=20)
HARVEST_MOST_RECORDS = env.int("HARVEST_MOST_RECORDS", default=1_000_000)
CELERY_BEAT_SCHEDULE = {"wake": {"task": "jobs.wake_all", "schedule": 1.0}}
SYNC_WAIT_SECONDS = env.int("SYNC_WAIT_SECONDS", default=120)
# How often one user may run the portal's own process, which is free; 0: as often as they like.
FREE_RUNS_PER_HOUR = env.int("FREE_RUNS_PER_HOUR", default=2000)
# So many requests of one web process wait for runs at the same time; the next are answered as
# asynchronous ones. Fewer than the process has threads, or nobody else would be answered.
SYNC_WAITING = env.int("SYNC_WAITING", default=24)
# A job whose status its provider does not know, or says nonsense of, for so long is lost.
LOST_SECONDS = env.int("LOST_SECONDS", default=24 * 3600)
# A job that has not ended by then is given up, dismissed at its provider, and its credit released.
JOB_DEADLINE_SECONDS = env.int("JOB_DEADLINE_SECONDS", default=30 * 24 * 3600)
# Server-sent events: open streams per web process, and how long each stays open.
LIVE_STREAMS = env.int("LIVE_STREAMS", default=3)
LIVE_SECONDS = env.float("LIVE_SECONDS", default=60)
