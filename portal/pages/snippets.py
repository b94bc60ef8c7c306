"""The same run as a script, through the portal's WPS."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _
from lxml import etree

from common.xml import parse
from jobs.models import Job
from jobs.result_records import execute_document
from providers.process import BoundingBoxValue, ComplexValue, InputValue, LiteralValue

MOST_INLINE = 2000  # characters of a document that are shown in a snippet


@dataclass(frozen=True, slots=True)
class Snippets:
    """Text to copy. The key is never in it: the reader puts in the own one."""

    python: str
    curl: str
    request: str
    inputs: str

    @property
    def parts(self) -> list[tuple[str, str]]:
        """Heading and text of each."""
        return [
            (_("Python with OWSLib"), self.python),
            (_("curl"), self.curl),
            (_("execute.xml for curl: the WPS request"), self.request),
            (_("The inputs as JSON"), self.inputs),
        ]


def snippets_of(job: Job, username: str) -> Snippets:
    """The job as OWSLib, as curl, and its inputs."""
    base = settings.BASE_URL
    curl = (
        f"curl -u {username}:$TEP_API_KEY -H 'Content-Type: text/xml' \\\n"
        f"     --data-binary @execute.xml {base}/wps"
    )
    request = etree.tostring(parse(execute_document(job)), pretty_print=True, encoding="unicode")
    return Snippets(_python(job, base, username), curl, request, json.dumps(job.inputs, indent=2))


def _python(job: Job, base: str, username: str) -> str:
    inputs = "".join(f"    ({v.identifier!r}, {_argument(v)}),\n" for v in job.input_values)
    return (
        "import os\n\n"
        "from owslib.wps import (\n    BoundingBoxDataInput, ComplexDataInput, "
        "WebProcessingService, monitorExecution,\n)\n\n"
        f"wps = WebProcessingService({base + '/wps'!r}, username={username!r},\n"
        '                           password=os.environ["TEP_API_KEY"])\n'
        f"run = wps.execute({job.service.public_identifier!r}, [\n{inputs}])\n"
        "monitorExecution(run, sleepSecs=3)\n"
        "for output in run.processOutputs:\n"
        "    print(output.identifier, output.data or output.reference)\n"
    )


def _argument(value: InputValue) -> str:
    if isinstance(value, LiteralValue):
        return repr(value.value)
    if isinstance(value, BoundingBoxValue):
        return f"BoundingBoxDataInput({[*value.lower, *value.upper]}, crs={value.crs!r})"
    if isinstance(value, ComplexValue):
        data = value.data if len(value.data) <= MOST_INLINE else "… your document …"
        return f"ComplexDataInput({data!r}, mimeType={value.media_type!r})"
    return repr(value.href)
