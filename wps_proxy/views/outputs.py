"""The address of an output, which documents of all versions refer to."""

from __future__ import annotations

from uuid import UUID

from django.http.response import HttpResponseBase

from jobs.access import output_for
from jobs.downloads import download
from wps_proxy.auth import reader_of
from wps_proxy.exchange import READING, Exchange, spoken
from wps_proxy.wps1.requests import VERSION


@spoken(VERSION, READING)
def output(exchange: Exchange, job_id: UUID, number: int) -> HttpResponseBase:
    """An output, streamed to those who may see the job."""
    caller = reader_of(exchange.request)
    return download(exchange.request, output_for(caller.user, job_id, number))
