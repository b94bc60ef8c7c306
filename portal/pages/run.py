"""Run a service: the form made from its description, the cost, the submission."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounting.bills import to_hold
from accounting.models import Account, Quote
from accounting.selectors import payable_accounts
from catalogue_client.models import Item
from common import money
from common.errors import Conflict, InvalidInput, NotFound, PaymentRequired, QuoteExpired
from jobs.access import job_for
from jobs.lifecycle import quote_job, submit
from jobs.models import Door, Job
from jobs.selectors import jobs_of
from jobs.states import SUCCESSFUL
from portal.forms.process_form import ProcessForm
from portal.pages.coverage import Coverage, coverage_of
from portal.pages.scenes import area_layer, files_of, layers_of_items
from providers.models import Service
from providers.process import InputValue, ProcessDescription
from thematic_apps.access import app_for, service_for, usable_services
from thematic_apps.models import ThematicApp
from thematic_apps.selectors import scenes_of

if TYPE_CHECKING:
    from people.models import User

WORLD_WIDTH = 300  # degrees: a wider application has no area that would be a good first box


@dataclass
class Run:
    """The state of the page between reading a request and showing the answer."""

    user: User
    service: Service
    app: ThematicApp | None
    description: ProcessDescription
    form: ProcessForm
    accounts: list[Account]
    account: Account | None = None
    title: str = ""
    problems: list[str] = field(default_factory=list)
    quote: Quote | None = None
    coverage: Coverage | None = None
    values: tuple[InputValue, ...] = ()
    key: str = ""
    most: str = ""  # what the user would pay at most, as typed
    ceiling: int | None = None
    earlier: Job | None = None  # that this run repeats or varies
    mail_at_end: bool = False

    @property
    def held(self) -> int:
        """What starting the run would hold, in micro-credits."""
        return to_hold(self.quote, self.ceiling) if self.quote is not None else 0

    @property
    def too_expensive(self) -> bool:
        return (
            self.quote is not None and self.ceiling is not None and self.quote.total > self.ceiling
        )

    def take_ceiling(self, text: str) -> None:
        """Read the most that the user would pay; what is wrong with it is among the problems."""
        self.most = text.strip()[:40]
        if not self.most:
            return
        try:
            self.ceiling = money.micro(self.most.replace(",", "."))
        except InvalidInput as error:
            self.problems.append(error.detail)
            return
        if self.ceiling < 0:
            self.ceiling = None
            self.problems.append(_("The most that you would pay cannot be negative."))

    def price(self) -> None:
        """Make a quote of the values, or put the errors where they belong."""
        if self.account is None:
            self.problems.append(_("There is no account that you may pay from."))
        elif not self.form.wrong and not self.problems:
            try:
                self.quote = quote_job(
                    actor=self.user, service=self.service, inputs=self.values, account=self.account
                )
            except InvalidInput as error:
                self.problems += self.form.refuse(error)
            else:
                self.coverage = coverage_of(self.account, self.user, self.held)
                self.key = str(uuid.uuid4())

    def context(self) -> dict[str, Any]:
        """What the templates need."""
        earlier = None
        if self.quote is not None:
            same = jobs_of(self.user).filter(
                owner=self.user,
                fingerprint=self.quote.inputs_fingerprint,
                state__in=SUCCESSFUL,
            )
            earlier = same.first()
        scenes = scenes_of(self.user, self.app) if self.app is not None else []
        files = [file for item in scenes for file in files_of(item)]
        return {
            "run": self,
            "form": self.form,
            "service": self.service,
            "earlier": earlier,
            "layers": _layers(self.app, scenes) if self.form.has_map else [],
            "scenes": [file for file in files if file.href.startswith("http")],
        }


@login_required
@require_http_methods(["GET", "POST"])
def run(request: HttpRequest, public: str, slug: str = "") -> HttpResponse:
    """The form of a service; POST prices the run (`action` quote) or starts it (submit)."""
    page = _begin(request, public, slug)
    if request.method == "POST":
        return _posted(request, page)
    return render(request, "run/page.html", page.context())


def _begin(request: HttpRequest, public: str, slug: str) -> Run:
    user = cast("User", request.user)
    app = app_for(user, slug) if slug else None
    provider, _dot, identifier = public.partition(".")
    service = service_for(user, provider, identifier)
    if service.current is None or (
        app is not None and not usable_services(user, app).filter(pk=service.pk).exists()
    ):
        raise NotFound
    description = service.current.description
    accounts = list(payable_accounts(user))
    earlier = _earlier(request, user)
    initial = earlier.input_values if earlier is not None else ()
    form = ProcessForm(description, initial=initial, area=_area(app))
    chosen = request.POST.get("account") or request.GET.get("account") or ""
    account = next((a for a in accounts if str(a.pk) == chosen), None)
    if account is None and accounts:
        account = max(accounts, key=lambda a: a.available)
    return Run(user, service, app, description, form, accounts, account, earlier=earlier)


def _layers(app: ThematicApp | None, scenes: list[Item]) -> list[dict[str, Any]]:
    """The scenes below the box; without their links, which would leave a half-filled form."""
    if app is None:
        return []
    return [area_layer(app)] + [{**layer, "href": ""} for layer in layers_of_items(scenes)]


def _earlier(request: HttpRequest, user: User) -> Job | None:
    """The job that is to be run again, if the address or the form names one."""
    named = request.POST.get("from") or request.GET.get("from", "")
    return job_for(user, named, "view") if named else None


def _area(app: ThematicApp | None) -> tuple[float, float, float, float] | None:
    return app.bbox if app is not None and app.east - app.west < WORLD_WIDTH else None


def _posted(request: HttpRequest, page: Run) -> HttpResponse:
    page.values = page.form.bind(request.POST, request.FILES)
    page.title = request.POST.get("title", "").strip()[:200]
    page.mail_at_end = bool(request.POST.get("mail_at_end"))
    page.take_ceiling(request.POST.get("max_cost", ""))
    action = request.POST.get("action", "")
    if request.POST.get("add"):
        return render(request, "run/page.html", page.context())
    ready = not page.form.wrong and not page.problems and page.account is not None
    if action == "submit" and ready:
        return _submit(request, page)
    page.price()
    template = "run/cost_answer.html" if request.htmx else "run/page.html"  # type: ignore[attr-defined]
    return render(request, template, page.context())


def _submit(request: HttpRequest, page: Run) -> HttpResponse:
    """Start the run; any refusal shows the page again, with the cost as it is now."""
    account = cast(Account, page.account)
    try:
        job = submit(
            actor=page.user,
            service=page.service,
            inputs=page.values,
            account=account,
            quote_id=_quote_id(request),
            ceiling=page.ceiling,
            application=page.app,
            door=Door.WEB,
            title=page.title,
            idempotency_key=request.POST.get("key", "")[:128] or None,
            mail_at_end=page.mail_at_end,
            cloned_from=page.earlier,
        )
    except InvalidInput as error:
        page.problems += page.form.refuse(error)
    except (Conflict, PaymentRequired) as error:
        page.price()
        page.problems.append(error.detail)
    else:
        return redirect("pages:job", job_id=job.pk)
    return render(request, "run/page.html", page.context(), status=409)


def _quote_id(request: HttpRequest) -> uuid.UUID:
    """The quote that the user saw; nobody pays a price that was not shown."""
    try:
        return uuid.UUID(request.POST.get("quote", ""))
    except ValueError:
        raise QuoteExpired from None
