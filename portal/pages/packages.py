"""Data packages: the list, one with what is in it, filling and sharing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from catalogue_client.models import DataPackage
from catalogue_client.packages import services
from catalogue_client.packages.access import (
    may_change,
    own_package,
    package_for,
    visible_packages,
)
from catalogue_client.packages.contents import contents, own_items, readable_query
from catalogue_client.packages.documents import address_of
from catalogue_client.sources.access import OWN
from catalogue_client.sources.records import period_of
from catalogue_client.sources.searching import keep_pace, sources_named
from common.errors import InvalidInput, PortalError
from portal.pages.feedback import told
from portal.pages.paging import page_of
from portal.pages.search_form import asked
from portal.pages.sharing_forms import SharingForm
from portal.pages.viewers import viewer_buttons

if TYPE_CHECKING:
    from people.models import User

BASKET = "basket"


class PackageForm(SharingForm):
    title = forms.CharField(label=gettext_lazy("Title"), max_length=200)
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    field_order = ("title", "description", "visibility", "group")

    def given(self) -> dict[str, Any]:
        """What the services take."""
        group = self.cleaned_data["group"] if self.cleaned_data["visibility"] == "group" else None
        return {**self.cleaned_data, "group": group}


@login_required
@require_http_methods(["GET", "POST"])
def packages(request: HttpRequest) -> HttpResponse:
    """The packages that the user may see; POST makes one."""
    user = cast("User", request.user)
    form = PackageForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create(owner=user, **form.given())
        except InvalidInput as error:
            form.take(error)
        except PortalError as error:
            form.add_error(None, error.detail)
        else:
            return redirect("pages:package", package_id=made.pk)
    listed = visible_packages(user).select_related("owner", "group")
    context = {"form": form, "page": page_of(request, listed)}
    return render(request, "packages/list.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def package(request: HttpRequest, package_id: UUID) -> HttpResponse:
    """What is in it, its one address, and who may see it."""
    user = cast("User", request.user)
    found = package_for(user, package_id)
    changes = may_change(user, found)
    context: dict[str, Any] = {"package": found, "changes": changes}
    if changes:
        form = PackageForm(user, request.POST or None, initial=_initial(found))
        if request.method == "POST" and form.is_valid() and _changed(user, found, form):
            return redirect("pages:package", package_id=found.pk)
        context["form"] = form
    elif request.method == "POST":
        own_package(user, package_id)
    inside = contents(found, user, searches=False)
    items = own_items(inside, user)
    searches = found.entries.filter(query__isnull=False).select_related("source")
    address = address_of(found, settings.BASE_URL)
    context |= {
        "rows": [
            (one, *period_of(one.record.document), items.get((one.record.collection, one.record.id))
             if one.entry.source_id is None else None)
            for one in inside.found
        ],
        "views": viewer_buttons(user, list(items.values()), brief=True),
        "notes": inside.notes,
        "layers": [
            {"id": f"entry-{one.key}", "type": "footprint", "title": one.record.title,
             "bbox": one.record.bbox}
            for one in inside.found if one.record.bbox
        ],
        "searches": [(one, readable_query(one)) for one in searches],
        "address": address,
        "forms": [
            (_("STAC items"), f"{address}/items", "application/geo+json"),
            (_("OWS Context, Atom"), f"{address}.atom", "application/atom+xml"),
            (_("OWS Context, GeoJSON"), f"{address}.geojson", "application/geo+json"),
        ],
    }  # fmt: skip
    return render(request, "packages/package.html", context)


@login_required
@require_http_methods(["GET"])
def basket(request: HttpRequest) -> HttpResponse:
    """The user's basket."""
    return redirect("pages:package", package_id=services.basket_of(cast("User", request.user)).pk)


@login_required
@require_POST
def act(request: HttpRequest, package_id: UUID) -> HttpResponse:
    """Take an entry out, or give the package up."""
    user = cast("User", request.user)
    found = own_package(user, package_id)
    if request.POST.get("action") == "delete":
        with told(request, _("“%(name)s” is given up.") % {"name": found.title}):
            services.remove(actor=user, package=found)
        return redirect("pages:packages")
    number = request.POST.get("entry", "")
    wanted = int(number) if number.isascii() and number.isdigit() and len(number) < 18 else 0  # noqa: PLR2004
    entry = get_object_or_404(found.entries.select_related("package"), pk=wanted)
    with told(request, _("“%(name)s” is taken out.") % {"name": entry.title}):
        services.take_out(actor=user, entry=entry)
    return redirect("pages:package", package_id=found.pk)


@login_required
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Put an entry into a package, or into the basket."""
    user = cast("User", request.user)
    said = request.POST
    source = sources_named(user, [said.get("source", OWN)])[0]
    target = _target(user, said)
    problem = ""
    try:
        keep_pace(user)
        services.add_item(
            actor=user, package=target, source=source, collection=said.get("collection", ""),
            identifier=said.get("id", ""),
        )  # fmt: skip
    except PortalError as error:
        problem = error.detail
    if request.headers.get("HX-Request"):
        return render(request, "packages/added.html", {"package": target, "problem": problem})
    with told(request, _("It is in “%(name)s” now.") % {"name": target.title}):
        if problem:
            raise InvalidInput(problem)
    return redirect("pages:package", package_id=target.pk)


@login_required
@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    """Keep the search of the catalogue page in a package: one for each source."""
    user = cast("User", request.user)
    target = _target(user, request.POST)
    address = QueryDict(request.POST.get("search", "")[:4000])
    query, _problems = asked(address)
    slugs = address.getlist("source") or [OWN]
    title = request.POST.get("title", "").strip()
    with told(request, _("The search is kept in “%(name)s”.") % {"name": target.title}):
        for source in sources_named(user, slugs):
            name = f"{title} – {source.name}" if source and len(slugs) > 1 else title
            services.add_search(
                actor=user, package=target, source=source, query=query, title=name[:300]
            )
    return redirect("pages:package", package_id=target.pk)


def _target(user: User, said: QueryDict) -> DataPackage:
    """The package that the form names; the basket when it names none."""
    wanted = said.get("package", BASKET)
    if wanted == BASKET:
        return services.basket_of(user)
    try:
        key = UUID(wanted)
    except ValueError:
        return services.basket_of(user)
    return own_package(user, key)


def _initial(found: DataPackage) -> dict[str, Any]:
    group = found.group.slug if found.group else None
    fields = ("title", "description", "visibility")
    return {**{name: getattr(found, name) for name in fields}, "group": group}


def _changed(user: User, found: DataPackage, form: PackageForm) -> bool:
    """Whether the form's values were taken; else it says why not."""
    try:
        services.update(actor=user, package=found, **form.given())
    except InvalidInput as error:
        form.take(error)
        found.refresh_from_db()
        return False
    return True
