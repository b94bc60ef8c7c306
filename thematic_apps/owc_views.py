"""The addresses /owc/apps/…: applications as OWS Context documents."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from catalogue_client.doors import base_of, door, tagged
from catalogue_client.owc_views import written
from common.errors import NotAuthenticated
from people.models import User
from thematic_apps.access import app_for
from thematic_apps.contexts import context_of


@door("GET")
def application(
    request: HttpRequest, user: User | None, /, *, slug: str, form: str
) -> HttpResponse:
    """An application that the user may open: the public ones, too, are for who has signed in."""
    if user is None:
        raise NotAuthenticated
    context = context_of(app_for(user, slug), user, base_of(request))
    return tagged(request, written(context, form))
