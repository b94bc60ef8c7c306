"""What programs send about runs and jobs, as JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from common.serializers import CreditsField
from jobs.models import CallbackEvent
from jobs.states import State

MOST_OUTPUTS = 200
MOST_ID = 2**63 - 1  # of the databases


class CallbackRequest(serializers.Serializer[Any]):
    """An address that is told of an event of the job by a signed POST."""

    event = serializers.ChoiceField(choices=CallbackEvent.choices)
    url = serializers.CharField(max_length=2000)


class OutputsField(serializers.JSONField):
    """`["result"]`, or `{"result": {"mediaType": "image/tiff"}}`; empty for all outputs."""

    def to_internal_value(self, data: Any) -> dict[str, dict[str, Any]]:
        if isinstance(data, list) and all(isinstance(one, str) for one in data):
            data = {name: {} for name in data}
        if not isinstance(data, dict) or not all(isinstance(one, dict) for one in data.values()):
            raise serializers.ValidationError("Give a list of names, or an object by name.")
        if len(data) > MOST_OUTPUTS:
            raise serializers.ValidationError("These are too many outputs.")
        return data


class RunRequest(serializers.Serializer[Any]):
    """What is to be run, with which inputs, and who pays."""

    service = serializers.IntegerField(max_value=MOST_ID, help_text="id of the service")
    account = serializers.IntegerField(max_value=MOST_ID, help_text="id of the account that pays")
    inputs = serializers.DictField(
        child=serializers.JSONField(allow_null=True),
        default=dict,
        help_text="by input: a plain value, {value, mediaType}, {href}, {bbox, crs}, or a list",
    )
    outputs = OutputsField(default=dict, help_text="the wanted outputs; empty: all")


class SubmitRequest(RunRequest):
    quote = serializers.UUIDField(required=False, help_text="to pay exactly this price")
    max_cost = CreditsField(
        required=False,
        least=0,
        help_text="the most you would pay: held in place of the quote, which must not be above it",
    )
    application = serializers.SlugField(required=False)
    title = serializers.CharField(required=False, max_length=200, allow_blank=True)
    mail_at_end = serializers.BooleanField(
        required=False, default=False, help_text="a mail to you when the job has ended"
    )
    callbacks = CallbackRequest(many=True, required=False)


class JobQuery(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=State.choices, required=False)
    phase = serializers.ChoiceField(choices=("running", "succeeded", "failed"), required=False)
    service = serializers.IntegerField(required=False, max_value=MOST_ID)
    account = serializers.IntegerField(required=False, max_value=MOST_ID)
    text = serializers.CharField(required=False, max_length=200)
    since = serializers.DateField(required=False)
    until = serializers.DateField(required=False)
    own = serializers.BooleanField(required=False, default=False)
    label = serializers.CharField(required=False, max_length=40)  # type: ignore[assignment]


class RerunRequest(serializers.Serializer[Any]):
    """The same run once more: at a new price, with the inputs that are named here changed."""

    account = serializers.IntegerField(
        required=False, max_value=MOST_ID, help_text="who pays; the same account when left out"
    )
    inputs = serializers.DictField(
        child=serializers.JSONField(allow_null=True),
        required=False,
        help_text="in place of the job's own; null takes an input away",
    )
    max_cost = CreditsField(required=False, least=0, help_text="the most you would pay")
    title = serializers.CharField(required=False, max_length=200, allow_blank=True)
    mail_at_end = serializers.BooleanField(required=False, default=False)
    callbacks = CallbackRequest(many=True, required=False)


class ShareRequest(serializers.Serializer[Any]):
    """Either a user, by exact name or e-mail address, or a group of yours."""

    username = serializers.CharField(required=False, max_length=254)
    group = serializers.SlugField(required=False)


class LabelsRequest(serializers.Serializer[Any]):
    labels = serializers.ListField(child=serializers.CharField(max_length=40), max_length=50)
