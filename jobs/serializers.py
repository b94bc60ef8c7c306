"""Runs, quotes and outputs as JSON."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from accounting.models import JobBill
from accounting.serializers import QuoteSerializer, UsageRecordSerializer
from common.serializers import CreditsField
from jobs.json_values import inputs_to_json
from jobs.models import Job, JobEvent, JobOutput
from jobs.outputs import text_of
from jobs.selectors import waiting_reason
from jobs.states import State

MOST_OUTPUTS = 200
MOST_ID = 2**63 - 1  # of the databases


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
    application = serializers.SlugField(required=False)
    title = serializers.CharField(required=False, max_length=200, allow_blank=True)


class JobQuery(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=State.choices, required=False)
    phase = serializers.ChoiceField(choices=("running", "succeeded", "failed"), required=False)
    service = serializers.IntegerField(required=False, max_value=MOST_ID)
    account = serializers.IntegerField(required=False, max_value=MOST_ID)
    text = serializers.CharField(required=False, max_length=200)
    since = serializers.DateField(required=False)
    until = serializers.DateField(required=False)
    own = serializers.BooleanField(required=False, default=False)


class JobSerializer(serializers.ModelSerializer[Job]):
    owner = serializers.CharField(source="owner.username")
    service = serializers.IntegerField(source="service_id")
    service_identifier = serializers.CharField(source="service.public_identifier")
    account = serializers.IntegerField(source="account_id")
    account_name = serializers.CharField(source="account.name")
    application = serializers.CharField(source="application.slug", allow_null=True, default=None)
    waiting_reason = serializers.SerializerMethodField()
    quote = serializers.UUIDField(source="quote_id")
    quoted = CreditsField(source="quote.total")
    links = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields: tuple[str, ...] = (
            "id",
            "title",
            "state",
            "percent",
            "message",
            "error",
            "waiting_reason",
            "outcome_unknown",
            "owner",
            "service",
            "service_identifier",
            "account",
            "account_name",
            "application",
            "door",
            "quote",
            "quoted",
            "created_at",
            "sent_at",
            "started_at",
            "finished_at",
            "links",
        )

    def get_waiting_reason(self, job: Job) -> str:
        return waiting_reason(job)

    def get_links(self, job: Job) -> dict[str, str]:
        """Where the rest about the job is."""
        names = {"self": "job", **{n: f"job-{n}" for n in ("events", "outputs", "cost")}}
        return {
            relation: reverse(f"api:{name}", args=[job.pk], request=self.context.get("request"))
            for relation, name in names.items()
        }


class JobDetailSerializer(JobSerializer):
    inputs = serializers.SerializerMethodField()

    class Meta(JobSerializer.Meta):
        fields = (*JobSerializer.Meta.fields, "inputs")

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_inputs(self, job: Job) -> dict[str, Any]:
        return inputs_to_json(job.input_values)


class EventSerializer(serializers.ModelSerializer[JobEvent]):
    class Meta:
        model = JobEvent
        fields = (
            "number",
            "at",
            "old_state",
            "new_state",
            "percent",
            "actor",
            "scheme",
            "word",
            "reason",
            "text",
        )


class OutputSerializer(serializers.ModelSerializer[JobOutput]):
    """`value` is a plain value or a box as text; `content` is where the bytes are."""

    value = serializers.SerializerMethodField(method_name="get_text")
    bbox = serializers.JSONField(source="footprint", allow_null=True)
    content = serializers.SerializerMethodField()

    class Meta:
        model = JobOutput
        fields = (
            "number",
            "identifier",
            "title",
            "abstract",
            "kind",
            "media_type",
            "size",
            "value",
            "bbox",
            "content",
        )

    def get_text(self, output: JobOutput) -> str | None:
        return text_of(output) or None

    def get_content(self, output: JobOutput) -> str:
        arguments = [output.job_id, output.number]
        request = self.context.get("request")
        return str(reverse("api:job-output-content", args=arguments, request=request))


class BillSerializer(serializers.ModelSerializer[JobBill]):
    held = CreditsField(source="hold.amount", default=0)
    used = CreditsField()
    charged = CreditsField()
    uncharged = CreditsField()

    class Meta:
        model = JobBill
        fields = ("state", "held", "used", "charged", "uncharged", "ended_at", "settled_at")


class CostTransferSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    amount = CreditsField()
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()


class JobCostSerializer(serializers.Serializer[Any]):
    """Quote, bill, usage records and transfers of a job."""

    quote = QuoteSerializer(allow_null=True)
    bill = BillSerializer(allow_null=True)
    records = UsageRecordSerializer(many=True)
    transfers = CostTransferSerializer(many=True)
