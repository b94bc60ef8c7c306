"""The form of a provider's settings, one section at a time. Secrets are never shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from people.access import is_operator
from portal.pages.providers import protocol_choices
from providers.models import Provider
from providers.secrets import header_names

if TYPE_CHECKING:
    from people.models import User

LINES = {"rows": 3, "spellcheck": "false"}
SECRET = {"autocomplete": "new-password"}
PASSWORD = "password"  # noqa: S105 (a field's name)


@dataclass(frozen=True, slots=True)
class Section:
    """Settings that belong together; `fields` in the order of the page."""

    name: str
    title: Any
    fields: tuple[str, ...]
    operators_only: bool = False


SECTIONS = {
    section.name: section
    for section in (
        Section("general", gettext_lazy("General"), ("name", "description", "properties")),
        Section(
            "connection",
            gettext_lazy("Connection"),
            (
                "url", "protocol", "username", "password", "secret_headers", "forget",
                "reference_header", "lookup_url",
            ),
        ),
        Section(
            "limits",
            gettext_lazy("Limits and results"),
            (
                "max_running_jobs", "max_running_jobs_per_user", "max_connections",
                "retry_attempts", "retry_wait_seconds", "copy_results", "results_kept_days",
            ),
        ),
        Section(
            "watch",
            gettext_lazy("Watching"),
            ("discovery_seconds", "probe_seconds", "failure_mails"),
        ),
        Section(
            "usage",
            gettext_lazy("Usage records"),
            ("usage_site", "usage_keep_good", "usage_without_jobs", "charge_unsuccessful"),
        ),
        Section(
            "trust",
            gettext_lazy("Trust"),
            ("trusted", "identity_header_prefix", "extra_hosts", "public_hosts", "usage_queue"),
            operators_only=True,
        ),
    )
}  # fmt: skip

LABELS = {
    "name": gettext_lazy("Name"),
    "description": gettext_lazy("Description"),
    "properties": gettext_lazy("Properties"),
    "url": gettext_lazy("Address"),
    "protocol": gettext_lazy("Protocol"),
    "username": gettext_lazy("User name there"),
    "password": gettext_lazy("Password there"),
    "secret_headers": gettext_lazy("Secret headers"),
    "reference_header": gettext_lazy("Header with the job’s identifier"),
    "lookup_url": gettext_lazy("Address to look for a job"),
    "max_running_jobs": gettext_lazy("Running jobs at most"),
    "max_running_jobs_per_user": gettext_lazy("Running jobs of one user at most"),
    "max_connections": gettext_lazy("Connections at once at most"),
    "retry_attempts": gettext_lazy("Tries when it cannot be reached"),
    "retry_wait_seconds": gettext_lazy("Seconds between tries at most"),
    "copy_results": gettext_lazy("The portal keeps copies of results"),
    "results_kept_days": gettext_lazy("Days that the provider keeps results"),
    "discovery_seconds": gettext_lazy("Seconds between readings of its services"),
    "probe_seconds": gettext_lazy("Seconds between looks at its health"),
    "failure_mails": gettext_lazy("Mail to the owner on failures"),
    "usage_site": gettext_lazy("Site in usage records"),
    "usage_keep_good": gettext_lazy("Keep the good records of a message with bad ones"),
    "usage_without_jobs": gettext_lazy("May charge for usage without a job"),
    "charge_unsuccessful": gettext_lazy("Charge failed and dismissed jobs"),
    "trusted": gettext_lazy("Is told who runs a job"),
    "identity_header_prefix": gettext_lazy("Beginning of the identity headers"),
    "extra_hosts": gettext_lazy("Further hosts of its own"),
    "public_hosts": gettext_lazy("Public storage"),
    "usage_queue": gettext_lazy("Folder of its usage messages"),
}
HELP = {
    "properties": gettext_lazy("Shown to users. One on each line: Country: Finland"),
    "url": gettext_lazy("Another host has to be approved again, and needs its own secrets."),
    "password": gettext_lazy("Stored encrypted. Leave empty to keep the present one."),
    "secret_headers": gettext_lazy(
        "One on each line: X-Api-Key: value. Stored encrypted, sent with every request; only their "
        "names are shown. Those not named here stay."
    ),
    "reference_header": gettext_lazy("Empty: none is sent."),
    "lookup_url": gettext_lazy(
        "On its own host, with {reference} for the job’s identifier: where a job whose answer was "
        "lost can be asked for."
    ),
    "max_running_jobs": gettext_lazy("0: no limit. More jobs wait at the portal."),
    "max_running_jobs_per_user": gettext_lazy("0: no limit."),
    "max_connections": "",
    "retry_attempts": gettext_lazy("A job is only sent again if it certainly did not arrive."),
    "retry_wait_seconds": gettext_lazy("The pauses grow up to this."),
    "results_kept_days": gettext_lazy("0: not known. Users see until when results are there."),
    "discovery_seconds": gettext_lazy("0: as the portal is set."),
    "probe_seconds": gettext_lazy("0: never."),
    "failure_mails": gettext_lazy(
        "When it does not answer, when it is back, when its services cannot be read, when runs "
        "fail: at most one a day of each kind."
    ),
    "usage_site": gettext_lazy("The value of “Site” in the usage records that it sends."),
    "usage_keep_good": gettext_lazy("The bad ones wait in quarantine."),
    "usage_without_jobs": gettext_lazy("Storage, machines, summaries. Only operators allow this."),
    "charge_unsuccessful": "",
    "trusted": gettext_lazy("Identity headers, and inputs that are the portal’s to fill."),
    "identity_header_prefix": gettext_lazy("…User, …Domain and …Role follow."),
    "extra_hosts": gettext_lazy(
        "One on each line, with a port or without: results and states may be fetched there with "
        "its credentials."
    ),
    "public_hosts": gettext_lazy("One on each line: results there keep their address."),
    "usage_queue": gettext_lazy("On the portal’s machine."),
}


def label_of(setting: str) -> Any:
    """A setting's name for people; "" for what is none."""
    return LABELS.get(setting, "")


class SettingsForm(forms.ModelForm):
    """One section. `changes` is what `update_provider` takes."""

    protocol = forms.ChoiceField(required=False)
    properties = forms.CharField(required=False, widget=forms.Textarea(attrs=LINES))
    password = forms.CharField(
        required=False, strip=False, max_length=1000, widget=forms.PasswordInput(attrs=SECRET)
    )
    secret_headers = forms.CharField(
        required=False, widget=forms.Textarea(attrs={**LINES, "autocomplete": "off"})
    )
    forget = forms.MultipleChoiceField(
        label=gettext_lazy("Stored secrets to take away"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    extra_hosts = forms.CharField(required=False, widget=forms.Textarea(attrs=LINES))
    public_hosts = forms.CharField(required=False, widget=forms.Textarea(attrs=LINES))

    class Meta:
        model = Provider
        fields = tuple(
            name
            for section in SECTIONS.values()
            for name in section.fields
            if name not in ("forget", "password", "secret_headers")
        )
        widgets = {
            "description": forms.Textarea(attrs={"rows": 3}),
            "username": forms.TextInput(attrs={"autocomplete": "off"}),
        }

    def __init__(self, *args: Any, section: Section, user: User, **kwargs: Any) -> None:
        provider: Provider = kwargs["instance"]
        kwargs["initial"] = {
            "properties": "\n".join(f"{k}: {v}" for k, v in provider.properties.items()),
            "secret_headers": "",
            "extra_hosts": "\n".join(provider.extra_hosts),
            "public_hosts": "\n".join(provider.public_hosts),
        }
        super().__init__(*args, **kwargs)
        self.secrets = ([PASSWORD] if provider.secret else []) + header_names(provider)
        for name in set(self.fields) - set(section.fields):
            del self.fields[name]
        if "forget" in self.fields:
            self._offer_secrets()
        for name, field in self.fields.items():
            field.label = LABELS.get(name, field.label)
            field.help_text = cast("str", HELP.get(name, field.help_text))
        self.order_fields(section.fields)
        if "usage_without_jobs" in self.fields:
            self.fields["usage_without_jobs"].disabled = not is_operator(user)

    def changes(self) -> dict[str, Any]:
        """What was changed, as `update_provider` takes it."""
        given = {name: self.cleaned_data[name] for name in self.changed_data}
        gone = given.pop("forget", [])
        if not given.get(PASSWORD):
            given.pop(PASSWORD, None)
        if PASSWORD in gone:
            given[PASSWORD] = ""
        headers = dict.fromkeys((name for name in gone if name != PASSWORD), None)
        headers |= given.pop("secret_headers", {})
        return given | ({"secret_headers": headers} if headers else {})

    def clean_properties(self) -> dict[str, str]:
        return self._pairs("properties")

    def clean_secret_headers(self) -> dict[str, str]:
        return self._pairs("secret_headers")

    def clean_extra_hosts(self) -> list[str]:
        return self.cleaned_data["extra_hosts"].split()

    def clean_public_hosts(self) -> list[str]:
        return self.cleaned_data["public_hosts"].split()

    def _pairs(self, field: str) -> dict[str, str]:
        """Lines of `name: value`. The error never repeats a value."""
        found = {}
        for number, line in enumerate(self.cleaned_data[field].splitlines(), 1):
            name, colon, value = line.partition(":")
            if line.strip() and not (colon and name.strip()):
                raise forms.ValidationError(
                    _("Line %(number)d has no name with a colon.") % {"number": number}
                )
            if line.strip():
                found[name.strip()] = value.strip()
        return found

    def _offer_secrets(self) -> None:
        if not self.secrets:
            del self.fields["forget"]
        else:
            words = {PASSWORD: _("the password")}
            choice = cast("forms.MultipleChoiceField", self.fields["forget"])
            choice.choices = [(name, words.get(name, name)) for name in self.secrets]
        protocol = cast("forms.ChoiceField", self.fields["protocol"])
        protocol.choices = [*protocol_choices(), ("", _("Found by looking at the server"))]

    def _post_clean(self) -> None:
        """The instance is only changed by who checks it whole (update_provider)."""
