"""Grants of an account: given now, for later or for a time, and rules that give each period."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounting.access import account_for
from accounting.accounts import group_account, user_account
from accounting.credit import grants
from accounting.credit.grant_rules import Plan, change_rule, make_rule, rules_of
from accounting.inputs import LONGEST_REASON
from accounting.models import Account, AccountKind, Grant, GrantRule, Period
from common.clock import now
from common.errors import Conflict, InvalidInput, NotFound, PaymentRequired
from people.access import group_for, is_operator
from people.selectors import find_user
from portal.pages.account_place import place_of
from portal.pages.feedback import told
from portal.pages.paging import page_of
from portal.pages.typed import credits_in

if TYPE_CHECKING:
    from people.models import User

_day = forms.DateInput(attrs={"type": "date"})


class _GiveForm(forms.Form):
    """Who gets how much, and why."""

    member = forms.CharField(label=gettext_lazy("Member"), max_length=254)
    amount = forms.CharField(
        label=gettext_lazy("Credits"),
        max_length=24,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=LONGEST_REASON)
    key = forms.CharField(widget=forms.HiddenInput, max_length=grants.LONGEST_KEY)

    def __init__(self, *args: Any, account: Account, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        member = self.fields["member"]
        if account.kind != AccountKind.GROUP:
            del self.fields["member"]
        elif is_operator(actor):
            member.required = False
            member.help_text = _(
                "A member's user name or e-mail address. Empty: the portal gives to the group."
            )
        else:
            member.help_text = _("User name or e-mail address.")

    def clean_amount(self) -> int:
        try:
            return credits_in(self.cleaned_data["amount"])
        except InvalidInput as error:
            raise forms.ValidationError(error.detail) from None


class GrantForm(_GiveForm):
    """Once."""

    starts_on = forms.DateField(
        label=gettext_lazy("From"),
        required=False,
        widget=_day,
        help_text=gettext_lazy("Empty: at once. Days begin at midnight UTC."),
    )
    last_day = forms.DateField(
        label=gettext_lazy("Valid to the end of"),
        required=False,
        widget=_day,
        help_text=gettext_lazy("Empty: it does not expire."),
    )
    field_order = ("member", "amount", "starts_on", "last_day", "reason")


class RuleForm(_GiveForm):
    """Again and again."""

    every = forms.ChoiceField(
        label=gettext_lazy("Each"), choices=Period.choices, initial=Period.MONTH
    )
    lifetime_days = forms.IntegerField(
        label=gettext_lazy("Valid for days"),
        required=False,
        min_value=1,
        max_value=grants.FARTHEST.days,
        help_text=gettext_lazy("Empty: what is given does not expire."),
    )
    starts_on = forms.DateField(
        label=gettext_lazy("From"),
        required=False,
        widget=_day,
        help_text=gettext_lazy("Empty: at once; the first comes within a minute."),
    )
    last_day = forms.DateField(
        label=gettext_lazy("Until the end of"),
        required=False,
        widget=_day,
        help_text=gettext_lazy("Empty: until you end it."),
    )
    field_order = ("member", "amount", "every", "lifetime_days", "starts_on", "last_day", "reason")


@login_required
@require_http_methods(["GET", "POST"])
def group_grants(request: HttpRequest, slug: str) -> HttpResponse:
    """What a group got and gives; POST gives once (`give`) or each period (`repeat`)."""
    group = group_for(cast("User", request.user), slug, "manage")
    return _grants(request, group_account(group))


@login_required
@require_http_methods(["GET", "POST"])
def account_grants(request: HttpRequest, account_id: int) -> HttpResponse:
    """What the account of a user or provider got; operators give."""
    user = cast("User", request.user)
    account = account_for(user, account_id, "configure")
    if account.group is not None:
        return _page_of(account)
    return _grants(request, account)


@login_required
@require_POST
def cancel_grant(request: HttpRequest, grant_id: int) -> HttpResponse:
    """Cancel a grant that has not started."""
    actor = cast("User", request.user)
    grants_there = Grant.objects.select_related("account__user", "source__group")
    grant = grants_there.filter(pk=grant_id).first()
    account = _concerned(actor, grant)
    assert grant is not None  # noqa: S101 (asked above)
    with told(request, _("The grant is cancelled.")):
        grants.cancel(actor=actor, grant=grant)
    return _page_of(account)


@login_required
@require_POST
def turn_rule(request: HttpRequest, rule_id: int) -> HttpResponse:
    """Pause, resume or end a rule (`action`)."""
    actor = cast("User", request.user)
    rules = GrantRule.objects.select_related("account__user", "source__group")
    rule = rules.filter(pk=rule_id).first()
    account = _concerned(actor, rule)
    assert rule is not None  # noqa: S101 (asked above)
    with told(request, _("The rule is changed.")):
        change_rule(
            actor=actor,
            rule=rule,
            action=cast("Any", request.POST.get("action", "")),
            reason=request.POST.get("reason", ""),
        )
    return _page_of(account, rules=True)


def _page_of(account: Account, *, rules: bool = False) -> HttpResponse:
    address = place_of(account, "grants")
    return redirect(f"{address}?show=rules" if rules else address)


def _concerned(actor: User, given: Grant | GrantRule | None) -> Account:
    """The account on whose page the actor sees it: the giver's, or the receiver's."""
    if given is None:
        raise NotFound
    return account_for(actor, (given.source or given.account).pk, "manage")


def _grants(request: HttpRequest, account: Account) -> HttpResponse:
    user = cast("User", request.user)
    kind = "repeat" if "repeat" in request.POST else "give"
    made: dict[str, _GiveForm] = {}
    for name, form in (("give", GrantForm), ("repeat", RuleForm)):
        data = request.POST if request.method == "POST" and name == kind else None
        made[name] = form(
            data,
            account=account,
            actor=user,
            initial={"key": str(uuid.uuid4())},
            auto_id=f"{name}_%s",
        )
    show_rules = request.GET.get("show") == "rules"
    if request.method == "POST":
        show_rules = kind == "repeat"
        if _given(request, user, account, made[kind]):
            return _page_of(account, rules=show_rules)
    rows = rules_of(account) if show_rules else grants.grants_of(account)
    context = {
        "account": account,
        "form": made["give"],
        "rule_form": made["repeat"],
        "may_give": account.kind == AccountKind.GROUP or is_operator(user),
        "operator": is_operator(user),
        "show_rules": show_rules,
        "page": page_of(request, rows),
        "now": now(),
    }
    return render(request, "credit/grants.html", context)


def _given(request: HttpRequest, user: User, account: Account, form: _GiveForm) -> bool:
    """Whether the form was right and is done; else it bears the errors."""
    if not form.is_valid():
        return False
    values = form.cleaned_data
    call = {"actor": user, "reason": values["reason"], "key": values["key"]}
    try:
        receiver = _receiver(account, values.get("member", "").strip())
        call |= {"account": receiver, "source": account if receiver.pk != account.pk else None}
        starts_at, end = _midnight(values["starts_on"]), _midnight(values["last_day"], days=1)
        if isinstance(form, RuleForm):
            plan = Plan(
                every=values["every"],
                amount=values["amount"],
                starts_at=starts_at,
                ends_at=end,
                lifetime_days=values["lifetime_days"],
            )
            make_rule(plan=plan, **call)
            messages.success(request, _("The rule is there."))
        else:
            amount = values["amount"]
            grants.give(amount=amount, starts_at=starts_at, expires_at=end, **call)
            messages.success(request, _("The grant is made."))
    except (InvalidInput, Conflict, PaymentRequired, NotFound) as error:
        form.add_error(_field(form, error), error.detail)
        return False
    return True


_FIELDS = {"expires_at": "last_day", "ends_at": "last_day", "starts_at": "starts_on"}


def _field(form: forms.Form, error: Exception) -> str | None:
    locator = "member" if isinstance(error, NotFound) else getattr(error, "locator", "")
    name = _FIELDS.get(locator, locator)
    return name if name in form.fields and name != "key" else None


def _receiver(account: Account, member: str) -> Account:
    return user_account(find_user(member)) if member else account


def _midnight(day: date | None, *, days: int = 0) -> datetime | None:
    if day is None:
        return None
    if day >= date(9000, 1, 1):
        raise InvalidInput(_("This is too far in the future."), locator="expires_at")
    return datetime.combine(day, time(0), UTC) + timedelta(days=days)
