"""Quotes and jobs for programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from accounting.access import account_for
from accounting.api.accounts import IDEMPOTENCY_KEY, idempotency_key
from accounting.api.answers import once
from accounting.api.serializers import QuoteSerializer
from accounting.inputs import came_again
from accounting.models import Quote
from accounting.selectors import job_cost
from common.errors import Conflict, NotFound
from jobs import lifecycle
from jobs.access import job_for, quote_for, quotes_of
from jobs.json_values import inputs_from_json, outputs_from_json
from jobs.models import Door, Job, JobEvent, JobOutput
from jobs.requests import JobQuery, RerunRequest, RunRequest, SubmitRequest
from jobs.reruns import rerun
from jobs.selectors import JobFilter, events_of, jobs_of
from jobs.serializers import (
    EventSerializer,
    JobCostSerializer,
    JobDetailSerializer,
    JobSerializer,
    OutputSerializer,
)
from people.authentication import signed_in
from people.models import Scope, User
from providers.identity import INPUTS
from providers.models import Service
from providers.quotation import INPUT as QUOTATION
from thematic_apps.access import app_for, usable_services


class Quotes(ListAPIView[Quote]):
    """The quotes that were made for you, newest first."""

    scope = Scope.RUN.value
    serializer_class = QuoteSerializer

    def get_queryset(self) -> QuerySet[Quote]:
        return quotes_of(signed_in(self.request))

    @extend_schema(request=RunRequest, responses={201: QuoteSerializer})
    def post(self, request: Request) -> Response:
        """Price a run: the most that it will cost, valid for these inputs until it expires."""
        body = RunRequest(data=request.data)
        body.is_valid(raise_exception=True)
        user = signed_in(request)
        quote = lifecycle.quote_job(actor=user, **_run(user, body.validated_data))
        headers = {"Location": reverse("api:quote", args=[quote.pk], request=request)}
        return Response(QuoteSerializer(quote).data, status=201, headers=headers)


class QuoteDetail(APIView):
    @extend_schema(responses=QuoteSerializer)
    def get(self, request: Request, quote_id: UUID) -> Response:
        """A quote that was made for you."""
        return Response(QuoteSerializer(quote_for(signed_in(request), quote_id)).data)


class Jobs(ListAPIView[Job]):
    """The jobs that you may see: your own, and those that your groups' accounts pay for."""

    scope = Scope.RUN.value
    serializer_class = JobSerializer

    def get_queryset(self) -> QuerySet[Job]:
        query = JobQuery(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        given = query.validated_data
        wanted = JobFilter(
            phase=given.get("phase", ""),
            state=given.get("state", ""),
            service_id=given.get("service"),
            account_id=given.get("account"),
            text=given.get("text", ""),
            since=given.get("since"),
            until=given.get("until"),
            own=given["own"],
            label=given.get("label", ""),
        )
        found = jobs_of(signed_in(self.request), wanted)
        return found.select_related("quote").prefetch_related("labels")

    @extend_schema(parameters=[JobQuery])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Jobs, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=SubmitRequest,
        responses=once(JobDetailSerializer),
    )
    def post(self, request: Request) -> Response:
        """Hold the price on the account and start the run."""
        body = SubmitRequest(data=request.data)
        body.is_valid(raise_exception=True)
        given, user = body.validated_data, signed_in(request)
        slug = given.get("application")
        job = lifecycle.submit(
            actor=user,
            **_run(user, given),
            door=Door.REST,
            quote_id=given.get("quote"),
            ceiling=given.get("max_cost"),
            application=app_for(user, slug) if slug else None,
            title=given.get("title", ""),
            idempotency_key=idempotency_key(request),
            mail_at_end=given["mail_at_end"],
            callbacks=_callbacks(given),
        )
        _same_request(job, given)
        return _submitted(request, job)


class JobDetail(APIView):
    scope = Scope.RUN.value

    @extend_schema(responses=JobDetailSerializer)
    def get(self, request: Request, job_id: UUID) -> Response:
        """One job with its inputs."""
        return Response(_detail(request, job_for(signed_in(request), job_id, "view")))

    @extend_schema(responses={202: JobDetailSerializer})
    def delete(self, request: Request, job_id: UUID) -> Response:
        """Dismiss the job; one that is at its end stays as it is."""
        return _dismiss(request, job_id)


class JobDismissal(APIView):
    scope = Scope.RUN.value

    @extend_schema(request=None, responses={202: JobDetailSerializer})
    def post(self, request: Request, job_id: UUID) -> Response:
        """The same as DELETE on the job, for clients that cannot send it."""
        return _dismiss(request, job_id)


class JobRerun(APIView):
    scope = Scope.RUN.value

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=RerunRequest,
        responses=once(JobDetailSerializer),
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        """Run it once more at a new price, with the same inputs or some of them changed."""
        body = RerunRequest(data=request.data)
        body.is_valid(raise_exception=True)
        given, user = body.validated_data, signed_in(request)
        job = rerun(
            actor=user,
            job=job_for(user, job_id, "view"),
            changed=given.get("inputs", {}),
            account=account_for(user, given["account"], "pay") if "account" in given else None,
            door=Door.REST,
            ceiling=given.get("max_cost"),
            title=given.get("title", ""),
            mail_at_end=given["mail_at_end"],
            callbacks=_callbacks(given),
            idempotency_key=idempotency_key(request),
        )
        return _submitted(request, job)


class JobEvents(ListAPIView[JobEvent]):
    """What happened to the job, in order."""

    serializer_class = EventSerializer

    def get_queryset(self) -> QuerySet[JobEvent]:
        user = signed_in(self.request)
        return events_of(job_for(user, self.kwargs["job_id"], "view"), user)


class JobOutputs(ListAPIView[JobOutput]):
    """What the job gave."""

    serializer_class = OutputSerializer

    def get_queryset(self) -> QuerySet[JobOutput]:
        return job_for(signed_in(self.request), self.kwargs["job_id"], "view").outputs.all()


class JobCost(APIView):
    @extend_schema(responses=JobCostSerializer)
    def get(self, request: Request, job_id: UUID) -> Response:
        """What the job costs: quote, hold, usage records, price lines, settlement."""
        job = job_for(signed_in(request), job_id, "view")
        return Response(JobCostSerializer(job_cost(job.pk)).data)


def _callbacks(given: dict[str, Any]) -> list[tuple[str, str]]:
    """The pairs that a job is submitted with."""
    return [(one["event"], one["url"]) for one in given.get("callbacks", ())]


def _run(user: User, given: dict[str, Any]) -> dict[str, Any]:
    """The parts of a run, named by ids that the user may use."""
    service = usable_services(user).filter(pk=given["service"]).first()
    if service is None or service.current is None:
        raise NotFound("There is no such service.")
    return {
        "service": service,
        "account": account_for(user, given["account"], "pay"),
        "inputs": inputs_from_json(service.current.description, _of_the_user(service, given)),
        "outputs": outputs_from_json(given["outputs"]),
    }


def _of_the_user(service: Service, given: dict[str, Any]) -> dict[str, Any]:
    """Without a value for an input that the portal fills itself."""
    quotable = service.current is not None and service.current.quotable
    reserved = {*INPUTS, QUOTATION} if quotable else INPUTS
    return {k: v for k, v in given["inputs"].items() if k not in reserved}


def _same_request(job: Job, given: dict[str, Any]) -> None:
    """A key that was used before may have found a job that differs in what costs nothing."""
    slug = job.application.slug if job.application else None
    found = {"quote": job.quote_id, "application": slug, "title": job.title}
    if any(given.get(name) not in (None, "", value) for name, value in found.items()):
        raise Conflict("This idempotency key was used for another request.")


def _submitted(request: Request, job: Job) -> Response:
    headers = {"Location": reverse("api:job", args=[job.pk], request=request)}
    status = 200 if came_again(job) else 201
    return Response(_detail(request, job), status=status, headers=headers)


def _dismiss(request: Request, job_id: UUID) -> Response:
    user = signed_in(request)
    lifecycle.dismiss(actor=user, job=job_for(user, job_id, "manage"))
    return Response(_detail(request, job_for(user, job_id, "view")), status=202)


def _detail(request: Request, job: Job) -> dict[str, Any]:
    return dict(JobDetailSerializer(job, context={"request": request}).data)
