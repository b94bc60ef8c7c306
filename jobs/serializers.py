"""Runs, quotes and outputs as JSON."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from accounting.api.serializers import QuoteSerializer, UsageRecordSerializer
from accounting.models import JobBill
from common.money import show
from common.serializers import CreditsField
from jobs.access import may_manage
from jobs.json_values import inputs_to_json
from jobs.models import Job, JobCallback, JobEvent, JobLabel, JobOutput, JobShare
from jobs.outputs import text_of
from jobs.selectors import waiting_reason, why_waiting

_PARTS = ("events", "stream", "outputs", "archive", "cost")


class JobSerializer(serializers.ModelSerializer[Job]):
    owner = serializers.CharField(source="owner.username")
    service = serializers.IntegerField(source="service_id")
    service_identifier = serializers.CharField(source="service.public_identifier")
    account = serializers.IntegerField(source="account_id")
    account_name = serializers.CharField(source="account.name")
    application = serializers.CharField(source="application.slug", allow_null=True, default=None)
    labels = serializers.SlugRelatedField[JobLabel](many=True, read_only=True, slug_field="text")
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
            "labels",
            "cloned_from",
            "mail_at_end",
            "quote",
            "quoted",
            "created_at",
            "sent_at",
            "started_at",
            "finished_at",
            "results_expire_at",
            "links",
        )

    def get_waiting_reason(self, job: Job) -> str:
        return waiting_reason(job)

    def get_links(self, job: Job) -> dict[str, str]:
        """Where the rest about the job is."""
        names = {"self": "job", **{n: f"job-{n}" for n in _PARTS}}
        return {
            relation: reverse(f"api:{name}", args=[job.pk], request=self.context.get("request"))
            for relation, name in names.items()
        }


class CallbackSerializer(serializers.ModelSerializer[JobCallback]):
    class Meta:
        model = JobCallback
        fields = ("event", "url", "state", "attempts", "last_error", "delivered_at")


class JobDetailSerializer(JobSerializer):
    """`callbacks` is for who manages the job; others get none."""

    inputs = serializers.SerializerMethodField()
    callbacks = serializers.SerializerMethodField()

    class Meta(JobSerializer.Meta):
        fields = (*JobSerializer.Meta.fields, "inputs", "callbacks")

    def get_waiting_reason(self, job: Job) -> str:
        return why_waiting(job)

    @extend_schema_field(CallbackSerializer(many=True))
    def get_callbacks(self, job: Job) -> Any:
        user = self.context["request"].user
        shown = may_manage(user, job)
        return CallbackSerializer(job.callbacks.all() if shown else (), many=True).data

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
    copied = serializers.SerializerMethodField()

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
            "sha256",
            "copied",
            "copied_at",
            "copy_error",
            "gone_at",
            "found_in",
            "problems",
        )

    def get_text(self, output: JobOutput) -> str | None:
        return text_of(output) or None

    def get_copied(self, output: JobOutput) -> bool:
        """Whether the portal keeps a copy of its own."""
        return bool(output.copy)

    def get_content(self, output: JobOutput) -> str:
        arguments = [output.job_id, output.number]
        request = self.context.get("request")
        return str(reverse("api:job-output-content", args=arguments, request=request))


class ShareSerializer(serializers.ModelSerializer[JobShare]):
    username = serializers.CharField(source="user.username", allow_null=True, default=None)
    group = serializers.CharField(source="group.slug", allow_null=True, default=None)

    class Meta:
        model = JobShare
        fields = ("id", "username", "group", "created_at")


class LabelsSerializer(serializers.Serializer[Any]):
    labels = serializers.ListField(child=serializers.CharField())


class SecretSerializer(serializers.Serializer[Any]):
    secret = serializers.CharField(help_text="signs the requests to your addresses")


class BillSerializer(serializers.ModelSerializer[JobBill]):
    """`net` is what the job cost in the end: what was charged, less what people gave back."""

    held = CreditsField(source="hold.amount", default=0)
    used = CreditsField()
    charged = CreditsField()
    refunded = CreditsField()
    net = serializers.SerializerMethodField()
    uncharged = CreditsField()

    class Meta:
        model = JobBill
        fields = (
            "state",
            "held",
            "used",
            "charged",
            "refunded",
            "net",
            "uncharged",
            "ended_at",
            "settled_at",
        )

    def get_net(self, bill: JobBill) -> str:
        return show(bill.charged - bill.refunded)


class CostTransferSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    amount = CreditsField()
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()


class PromisedSerializer(QuoteSerializer):
    """The quote that a job was submitted with; what the account has by now is no part of it."""

    available = available_after = covered = None  # type: ignore[assignment]


class JobCostSerializer(serializers.Serializer[Any]):
    """Quote, bill, usage records and transfers of a job."""

    quote = PromisedSerializer(allow_null=True)
    bill = BillSerializer(allow_null=True)
    records = UsageRecordSerializer(many=True)
    transfers = CostTransferSerializer(many=True)
