"""Sharing and labels of jobs for programs."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs import sharing
from jobs.access import job_for
from jobs.models import JobShare
from jobs.requests import LabelsRequest, ShareRequest
from jobs.serializers import LabelsSerializer, ShareSerializer
from people.authentication import signed_in


class JobShares(ListAPIView[JobShare]):
    """With whom the job is shared; for who manages it."""

    serializer_class = ShareSerializer

    def get_queryset(self) -> QuerySet[JobShare]:
        user = signed_in(self.request)
        return sharing.shares_of(job_for(user, self.kwargs["job_id"], "manage"))

    @extend_schema(request=ShareRequest, responses={201: ShareSerializer})
    def post(self, request: Request, job_id: UUID) -> Response:
        """Let a user, or a group of yours, see the job: inputs, results, events, cost."""
        body = ShareRequest(data=request.data)
        body.is_valid(raise_exception=True)
        user = signed_in(request)
        job = job_for(user, job_id, "manage")
        made = sharing.share(actor=user, job=job, **body.validated_data)
        return Response(ShareSerializer(made).data, status=201)


class JobShareDetail(APIView):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, job_id: UUID, share_id: int) -> Response:
        """End a share; whom the job is shared with may do that too."""
        user = signed_in(request)
        sharing.unshare(actor=user, job=job_for(user, job_id, "view"), share_id=share_id)
        return Response(status=204)


class JobLabels(APIView):
    @extend_schema(request=LabelsRequest, responses=LabelsSerializer)
    def put(self, request: Request, job_id: UUID) -> Response:
        """Give the job exactly these labels."""
        body = LabelsRequest(data=request.data)
        body.is_valid(raise_exception=True)
        user = signed_in(request)
        labels = sharing.set_labels(
            actor=user, job=job_for(user, job_id, "manage"), texts=body.validated_data["labels"]
        )
        return Response({"labels": labels})
