"""Records of a provider in the catalogue: its sources, their runs, and what could not be taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalogue_client.harvesting import selectors, services, steering, tokens
from catalogue_client.models import HarvestRun, HarvestSource, RunState
from common.errors import InvalidInput, PortalError, ProviderError
from common.secret_headers import names
from jobs import harvest_work
from portal.pages.feedback import told
from portal.pages.harvest_forms import HarvestForm, initial_of
from portal.pages.paging import page_of
from portal.pages.provider_console import frame
from providers.access import provider_for
from providers.models import Provider

if TYPE_CHECKING:
    from people.models import User

PER_PAGE = 20
BADGES = {
    RunState.DONE: "good",
    RunState.FAILED: "bad",
    RunState.HELD: "warn",
    RunState.STOPPED: "warn",
}


def centre_of(found: Provider) -> services.Centre:
    """The provider as the catalogue knows it."""
    return services.Centre(found.pk, found.slug, found.name)


@login_required
@require_http_methods(["GET", "POST"])
def sources(request: HttpRequest, slug: str) -> HttpResponse:
    """The sources of a provider; POST adds one, or only looks at its address (`action`)."""
    user = cast("User", request.user)
    found = provider_for(user, slug, "manage")
    form = HarvestForm(user, request.POST or None)
    context = frame(user, found) | {"tab": "harvest", "form": form, "badges": BADGES}
    if request.method == "POST" and form.is_valid():
        if request.POST.get("action") == "look":
            context |= _looked(user, found, form)
        elif (made := _added(user, found, form)) is not None:
            return redirect("pages:harvest_source", slug=slug, source_id=made.pk)
    context["page"] = page_of(request, selectors.sources_of(found.pk), PER_PAGE)
    return render(request, "providers/harvest.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def source(request: HttpRequest, slug: str, source_id: int) -> HttpResponse:
    """How a source is, and its runs; POST changes it."""
    user = cast("User", request.user)
    found = provider_for(user, slug, "manage")
    shown = _source_of(found, source_id)
    form = HarvestForm(user, request.POST or None, initial=initial_of(shown), source=shown)
    if request.method == "POST" and form.is_valid() and _changed(user, shown, form):
        messages.success(request, _("Saved."))
        return redirect("pages:harvest_source", slug=slug, source_id=source_id)
    return render(request, "providers/harvest_source.html", _context(request, found, shown, form))


@login_required
@require_POST
def act(request: HttpRequest, slug: str, source_id: int) -> HttpResponse:
    """Run it, pause it, decide, approve, renew or end its token, take it away (`action`)."""
    user = cast("User", request.user)
    found = provider_for(user, slug, "manage")
    shown = _source_of(found, source_id)
    action = request.POST.get("action", "")
    if action == "token":
        with told(request, _("The new token is shown once: keep it now.")):
            token = tokens.renew(shown)
            form = HarvestForm(user, initial=initial_of(shown), source=shown)
            context = _context(request, found, shown, form) | {"token": token}
            return render(request, "providers/harvest_source.html", context)
    elif action in _ACTS:
        act_on, said = _ACTS[action]
        with told(request, str(said())):
            act_on(user, shown)
    if action == "leave":
        return redirect("pages:provider_harvest", slug=slug)
    return redirect("pages:harvest_source", slug=slug, source_id=source_id)


@login_required
@require_safe
def preview(request: HttpRequest, slug: str, source_id: int) -> HttpResponse:
    """The first records as they would be stored now; nothing is written."""
    user = cast("User", request.user)
    found = provider_for(user, slug, "manage")
    context = frame(user, found) | {"tab": "harvest", "source": _source_of(found, source_id)}
    try:
        context["preview"] = services.preview(actor=user, source=context["source"])
    except PortalError as error:
        context["failure"] = error.detail
    return render(request, "providers/harvest_preview.html", context)


@login_required
@require_safe
def run(request: HttpRequest, slug: str, source_id: int, run_id: int) -> HttpResponse:
    """A run, and the records that it could not take in."""
    user = cast("User", request.user)
    found = provider_for(user, slug, "manage")
    shown = _source_of(found, source_id)
    one = get_object_or_404(HarvestRun, pk=run_id, source=shown)
    context = frame(user, found) | {"tab": "harvest", "source": shown, "run": one}
    context |= {"badges": BADGES, "page": page_of(request, one.faults.all(), PER_PAGE)}
    return render(request, "providers/harvest_run.html", context)


def _source_of(found: Provider, source_id: int) -> HarvestSource:
    return get_object_or_404(selectors.sources_of(found.pk), pk=source_id)


def _context(
    request: HttpRequest, found: Provider, shown: HarvestSource, form: HarvestForm
) -> dict[str, Any]:
    return frame(cast("User", request.user), found) | {
        "tab": "harvest",
        "source": shown,
        "form": form,
        "badges": BADGES,
        "headers": names(shown.secret_headers),
        "held": shown.runs.filter(state=RunState.HELD).first(),
        "page": page_of(request, shown.runs.all(), PER_PAGE),
        "address": request.build_absolute_uri(f"/api/harvest-sources/{shown.pk}/records/"),
    }


def _looked(user: User, found: Provider, form: HarvestForm) -> dict[str, Any]:
    """What the address holds, or why nobody knows."""
    given = form.cleaned_data
    try:
        detected, seen = services.look(
            actor=user, centre=centre_of(found), url=given["url"],
            username=given["username"], password=given["password"],
        )  # fmt: skip
    except PortalError as error:
        return {"failure": error.detail}
    return {"detected": detected, "preview": seen}


def _added(user: User, found: Provider, form: HarvestForm) -> HarvestSource | None:
    """The new source, to be read soon; None when the form has to be corrected."""
    made: HarvestSource | None = None
    try:
        made = services.register(actor=user, centre=centre_of(found), **form.given())
    except PortalError as error:
        _say(form, error)
    else:
        if made.pulled:
            harvest_work.soon(made.pk)
    return made


def _changed(user: User, shown: HarvestSource, form: HarvestForm) -> bool:
    """Whether the form's values were taken; else it says why not."""
    try:
        services.update(actor=user, source=shown, **form.given())
    except PortalError as error:
        _say(form, error)
        shown.refresh_from_db()
        return False
    return True


def _say(form: HarvestForm, error: PortalError) -> None:
    if isinstance(error, InvalidInput):
        form.take(error)
    else:
        form.add_error("url" if isinstance(error, ProviderError) else None, error.detail)


def _run(full: bool) -> Any:
    def begin(_user: User, shown: HarvestSource) -> None:
        steering.want_run(source=shown, full=full)
        harvest_work.soon(shown.pk)

    return begin


def _switch(on: bool) -> Any:
    def turn(_user: User, shown: HarvestSource) -> None:
        steering.switch(source=shown, on=on)
        if on and shown.pulled:
            harvest_work.soon(shown.pk)

    return turn


def _decide(confirmed: bool) -> Any:
    def decide(_user: User, shown: HarvestSource) -> None:
        steering.decide(source=shown, confirmed=confirmed)
        harvest_work.soon(shown.pk)

    return decide


def _leave(_user: User, shown: HarvestSource) -> None:
    steering.leave(source=shown)
    harvest_work.soon(shown.pk)


def _approve(approved: bool) -> Any:
    return lambda user, shown: steering.approve(actor=user, source=shown, approved=approved)


# What is done, and what is said then.
_ACTS: dict[str, tuple[Any, Any]] = {
    "run": (_run(False), lambda: _("It is read as soon as a worker is free.")),
    "full": (_run(True), lambda: _("All of it is read as soon as a worker is free.")),
    "pause": (_switch(False), lambda: _("The source is paused.")),
    "resume": (_switch(True), lambda: _("The source goes on.")),
    "confirm": (_decide(True), lambda: _("They are taken away as soon as a worker is free.")),
    "refuse": (_decide(False), lambda: _("Nothing is taken away.")),
    "approve": (_approve(True), lambda: _("The source is approved.")),
    "disapprove": (_approve(False), lambda: _("Done.")),
    "revoke": (lambda _user, shown: tokens.revoke(shown), lambda: _("The token opens no more.")),
    "leave": (_leave, lambda: _("The source and its records are being taken away.")),
}
