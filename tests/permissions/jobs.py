"""Jobs beyond their run: shares, labels, copies, archives, live events, once more."""

from __future__ import annotations

from typing import Any

from tests.permissions.scene import (
    OPERATOR,
    Row,
    Scene,
    door,
    first_output,
    for_job,
    job,
    page,
    public,
)


def no_share(s: Scene) -> dict[str, Any]:
    return {**job(s), "share_id": 2**31 - 1}


def with_stranger(s: Scene) -> dict[str, Any]:
    return {"username": s.stranger.username}


# Who may only see a job may not manage it; an operator may, but pays from no account of others.
MANAGES = {"owner": 302, "admin": 403, "operator": 302}

JOBS = (
    Row("pages:job_events", page(404, **for_job(200)), arguments=job),
    Row("pages:job_archive", page(404, **for_job(200)), arguments=job),
    Row("pages:output_link", public(404), arguments=lambda _: {"token": "wrong"}),
    Row("pages:job_labels", page(404, **MANAGES), "POST", job, lambda _: {"labels": "a, b"}),
    Row("pages:job_share", page(404, **MANAGES), "POST", job, with_stranger),
    Row("pages:job_unshare", page(404), "POST", no_share),
    Row("pages:job_copy", page(404, **MANAGES), "POST", first_output),
    Row("api:job-stream", door(404, **for_job(200)), arguments=job),
    Row("api:job-archive", door(404, **for_job(200)), arguments=job),
    Row(
        "api:job-rerun",
        door(404, **{**for_job(201), OPERATOR: 403}),
        "POST",
        job,
        lambda _: {"inputs": {"message": "other"}},
    ),
    Row("api:job-shares", door(404, owner=200, admin=403, operator=200), arguments=job),
    Row(
        "api:job-shares",
        door(404, owner=201, admin=403, operator=201),
        "POST",
        job,
        with_stranger,
    ),
    Row("api:job-share", door(404), "DELETE", no_share),
    Row(
        "api:job-labels",
        door(404, owner=200, admin=403, operator=200),
        "PUT",
        job,
        lambda _: {"labels": ["a"]},
    ),
    Row(
        "api:job-output-copy",
        door(404, owner=202, admin=403, operator=202),
        "POST",
        first_output,
    ),
    Row(
        "api:job-output-copy",
        door(404, owner=200, admin=403, operator=200),
        "DELETE",
        first_output,
    ),
    Row("api:callback-secret", door(), "POST", body=lambda _: {}),
)
