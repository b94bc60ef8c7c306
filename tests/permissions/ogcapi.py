"""The addresses of OGC API – Processes, under each of its three roots."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.permissions.scene import (
    ADMIN,
    OPERATOR,
    OWNER,
    PROVIDER,
    Row,
    Scene,
    door,
    for_group,
    for_job,
    for_users_of_the_app,
    public,
)

Arguments = Callable[[Scene], dict[str, Any]]


def nothing(_: Scene) -> dict[str, Any]:
    return {}


ROOTS: dict[str, Arguments] = {
    "ogcapi": nothing,
    "ogcapi_provider": lambda s: {"provider": s.provider.slug},
    "ogcapi_app": lambda s: {"application": s.app.slug},
}


def _rows(space: str, root: Arguments) -> Iterator[Row]:
    everybodys = space == "ogcapi"
    users = for_group(200) if space == "ogcapi_app" else for_users_of_the_app(200, 200)
    its_users = door(404, **users)

    def row(
        name: str, expected: dict[str, int], more: Arguments = lambda _: {}, **rest: Any
    ) -> Row:
        return Row(f"{space}:{name}", expected, arguments=lambda s: {**root(s), **more(s)}, **rest)

    def process(s: Scene) -> dict[str, Any]:
        own = space == "ogcapi_provider"
        return {"identifier": s.service.identifier if own else s.service.public_identifier}

    def done(s: Scene) -> dict[str, Any]:
        return {"job_id": str(s.done.pk)}

    for name in ("landing", "conformance", "api"):
        yield row(name, public() if everybodys else its_users)
    for name in ("processes", "jobs"):  # the portal's own process is everybody's
        yield row(name, door(200) if everybodys else its_users)
    yield row("process", its_users, process)
    poor = {one: 402 for one in (PROVIDER, OPERATOR) if one in users}
    yield row(
        "execution",
        door(404, **{**for_group(201), **poor}),
        process,
        method="POST",
        # Asynchronous, as nobody works here.
        body=lambda _: json.dumps({"inputs": {"message": "x"}, "mode": "async"}),
    )
    yield row("job", door(404, **for_job(200)), done)
    yield row(
        "job",
        door(404, **{OWNER: 200, OPERATOR: 200, ADMIN: 403}),
        lambda s: {"job_id": str(s.running.pk)},
        method="DELETE",
    )
    yield row("results", door(404, **for_job(200)), done)
    yield row("result", door(404, **for_job(200)), lambda s: {**done(s), "identifier": "message"})
    yield row("output", door(404, **for_job(200)), lambda s: {**done(s), "number": 1})
    yield row("nothing", public(404), lambda _: {"rest": "nothing/here"})


OGCAPI = tuple(row for space, root in ROOTS.items() for row in _rows(space, root))
