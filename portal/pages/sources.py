"""Catalogues of others: the list, registering one by its address, its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from catalogue_client.models import CatalogueSource
from catalogue_client.sources import ports, services
from catalogue_client.sources.access import (
    managed_source,
    may_manage,
    source_for,
    visible_sources,
)
from common.errors import InvalidInput, PortalError, ProviderError
from common.secret_headers import names
from jobs.source_work import crawl_soon
from people.access import is_operator
from portal.forms.servers import (
    address_field,
    header_name_field,
    header_value_field,
    password_field,
    user_name_field,
)
from portal.pages.feedback import told
from portal.pages.paging import page_of
from portal.pages.sharing_forms import SharingForm

if TYPE_CHECKING:
    from people.models import User

ABILITIES = {
    ports.TEXT: gettext_lazy("words"),
    ports.BBOX: gettext_lazy("area"),
    ports.GEOMETRY: gettext_lazy("any geometry"),
    ports.TIME: gettext_lazy("time"),
    ports.COLLECTIONS: gettext_lazy("collection"),
    ports.IDS: gettext_lazy("identifier"),
    ports.FILTERS: gettext_lazy("properties"),
    ports.SORT: gettext_lazy("order"),
    ports.COUNT: gettext_lazy("number of hits"),
}


class SourceForm(SharingForm):
    """A catalogue: its address, and what opens it; the rest is found out."""

    url = address_field(
        label=gettext_lazy("Address"),
        placeholder="https://example.org/stac/",
        help_text=gettext_lazy(
            "A STAC API or catalog.json, an OpenSearch description, a CSW, an OGC API – Records."
        ),
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Empty: as the catalogue calls itself."),
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    username = user_name_field()
    password = password_field(
        gettext_lazy(
            "Stored encrypted, sent to this server only. Everybody who may use the source searches "
            "with it."
        )
    )
    header_name = header_name_field()
    header_value = header_value_field(
        gettext_lazy("Empty with a name: the header is no longer sent.")
    )
    field_order = (
        "url", "name", "description", "visibility", "group", "username", "password",
        "header_name", "header_value",
    )  # fmt: skip

    def given(self) -> dict[str, Any]:
        """What the services take."""
        said = dict(self.cleaned_data)
        name, value = said.pop("header_name"), said.pop("header_value")
        if said["visibility"] != "group":
            said["group"] = None
        return {**said, **({"secret_headers": {name: value}} if name else {})}


@login_required
@require_http_methods(["GET", "POST"])
def sources(request: HttpRequest) -> HttpResponse:
    """The sources that the user may search; POST registers one."""
    user = cast("User", request.user)
    form = SourceForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.register(owner=user, **form.given())
        except InvalidInput as error:
            form.take(error)
        except ProviderError as error:
            form.add_error("url", error.detail)
        except PortalError as error:
            form.add_error(None, error.detail)
        else:
            crawl_soon(made)
            return redirect("pages:source", slug=made.slug)
    listed = visible_sources(user).select_related("group")
    context = {"form": form, "page": page_of(request, listed), "user_id": user.pk}
    return render(request, "sources/list.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def source(request: HttpRequest, slug: str) -> HttpResponse:
    """What it can do and how it is; its owner changes it."""
    user = cast("User", request.user)
    found = source_for(user, slug)
    manages = may_manage(user, found)
    context: dict[str, Any] = {
        "source": found,
        "manages": manages,
        "operator": is_operator(user),
        "abilities": [(text, name in found.abilities) for name, text in ABILITIES.items()],
        "records": found.records.count() if found.is_crawled else None,
    }
    if manages:
        form = SourceForm(user, request.POST or None, initial=_initial(found))
        if request.method == "POST" and form.is_valid() and _changed(user, found, form):
            return redirect("pages:source", slug=slug)
        context |= {"form": form, "headers": names(found.secret_headers)}
    elif request.method == "POST":
        managed_source(user, slug)
    return render(request, "sources/source.html", context)


@login_required
@require_POST
def act(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask it now, read it again, forget it; operators approve it."""
    user = cast("User", request.user)
    found = managed_source(user, slug)
    action = request.POST.get("action", "")
    if action == "delete":
        with told(request, _("“%(name)s” is forgotten.") % {"name": found.name}):
            services.remove(actor=user, source=found)
        return redirect("pages:sources")
    if action in ("approve", "refuse"):
        with told(request, _("The source is approved.") if action == "approve" else _("Done.")):
            services.approve(actor=user, source=found, approved=action == "approve")
    elif action == "crawl":
        with told(request, _("It is read as soon as a worker is free.")):
            crawl_soon(found)
    else:
        with told(request) as said:
            services.keep_pace(user)
            good = services.check(found)
            said.append(_("It answers.") if good else found.check_error)
    return redirect("pages:source", slug=slug)


def _initial(found: CatalogueSource) -> dict[str, Any]:
    group = found.group.slug if found.group else None
    fields = ("url", "name", "description", "visibility", "username")
    return {**{name: getattr(found, name) for name in fields}, "group": group}


def _changed(user: User, found: CatalogueSource, form: SourceForm) -> bool:
    """Whether the form's values were taken; else it says why not."""
    try:
        services.update(actor=user, source=found, **form.given())
    except InvalidInput as error:
        form.take(error)
    except ProviderError as error:
        form.add_error("url", error.detail)
    except PortalError as error:
        form.add_error(None, error.detail)
    else:
        if found.crawled_at is None:
            crawl_soon(found)
        return True
    found.refresh_from_db()
    return False
