"""Groups: members and their roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounting.accounts import group_account
from common.errors import NotFound
from people import services
from people.access import group_for, is_operator, membership
from people.models import Group, Role, User
from people.selectors import find_user, groups_of, members_of
from portal.pages.feedback import told
from thematic_apps.access import visible_apps

if TYPE_CHECKING:
    from django.db.models import QuerySet


class GroupForm(forms.Form):
    """A new group."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    description = forms.CharField(
        label=gettext_lazy("What it is for"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


@login_required
@require_http_methods(["GET", "POST"])
def groups(request: HttpRequest) -> HttpResponse:
    """The user's groups (all of them for operators); POST makes one."""
    user = cast("User", request.user)
    form = GroupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with told(request, _("The group is there, and you administer it.")):
            made = services.create_group(actor=user, **form.cleaned_data)
            return redirect("pages:group", slug=made.slug)
    found: QuerySet[Group] = Group.objects.all() if is_operator(user) else groups_of(user)
    own = {m.group_id: m.role for m in user.memberships.all()}
    listed = [(group, Role(own[group.pk]).label if group.pk in own else "") for group in found]
    return render(request, "groups/list.html", {"groups": listed, "form": form})


@login_required
@require_safe
def group(request: HttpRequest, slug: str) -> HttpResponse:
    """One group: members, applications, credit."""
    user = cast("User", request.user)
    found = group_for(user, slug, "view")
    context = {
        "group": found,
        "members": members_of(found),
        "may_manage": _administers(user, found),
        "account": group_account(found),
        "apps": visible_apps(user).filter(groups=found),
        "roles": Role.choices,
    }
    return render(request, "groups/group.html", context)


@login_required
@require_POST
def add_member(request: HttpRequest, slug: str) -> HttpResponse:
    """Take a user into the group, by exact user name or e-mail address."""
    actor = cast("User", request.user)
    found = group_for(actor, slug, "manage")
    name = request.POST.get("name", "").strip()
    try:
        user = find_user(name)
    except NotFound as error:
        messages.error(request, error.detail)
        return redirect("pages:group", slug=slug)
    with told(request, _("%(name)s is a member now.") % {"name": user.display_name}):
        services.add_member(
            actor=actor, group=found, user=user, role=request.POST.get("role", Role.MEMBER)
        )
    return redirect("pages:group", slug=slug)


@login_required
@require_POST
def change_member(request: HttpRequest, slug: str, user_id: int) -> HttpResponse:
    """Give a member another role, or end the membership."""
    actor = cast("User", request.user)
    found = group_for(actor, slug, "manage")
    user = get_object_or_404(User, pk=user_id, memberships__group=found)
    if request.POST.get("action") == "remove":
        with told(request, _("%(name)s is no longer a member.") % {"name": user.display_name}):
            services.remove_member(actor=actor, group=found, user=user)
    else:
        with told(request, _("The role is changed.")):
            role = request.POST.get("role", "")
            services.change_role(actor=actor, group=found, user=user, role=role)
    return redirect("pages:group", slug=slug)


def _administers(user: User, found: Group) -> bool:
    own = membership(user, found)
    return is_operator(user) or (own is not None and own.role == Role.ADMIN)
