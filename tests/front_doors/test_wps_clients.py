"""WPS as other programs speak it: birdy, and the requests that QGIS's plugins send."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.models import Job
from people.services import create_api_key
from providers.process import InputDescription, LiteralDomain, ProcessDescription, ValueRange
from tests.factories import World, make_service
from tests.fakes.wps_server import FakeWps
from tests.front_doors.test_wps import INDEX, TIFF, worker, world, wps  # noqa: F401 (fixtures)
from tests.wps_proxy.schemas import valid

birdy = pytest.importorskip("birdy")

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
STRETCH = ProcessDescription(
    "stretch",
    inputs=(InputDescription("percent", LiteralDomain("double", ranges=(ValueRange("0", "50"),))),),
    outputs=INDEX.outputs,
    store_supported=True,
    status_supported=True,
)
WPS = "{http://www.opengis.net/wps/1.0.0}"


@pytest.fixture
def key(world: World) -> str:  # noqa: F811
    return create_api_key(user=world.researcher, name="script", scopes=["read", "run"])[1]


@pytest.fixture
def client(
    live_server: Any,
    worker: None,  # noqa: F811
    world: World,  # noqa: F811
    wps: FakeWps,  # noqa: F811
    key: str,
) -> Any:
    wps.add(STRETCH, lambda _: {"mean": "0.61", "result": TIFF})
    world.app.services.add(make_service(world.provider, STRETCH))
    return birdy.WPSClient(f"{live_server.url}/wps", auth=(world.researcher.username, key))


def test_birdy_makes_functions_of_the_processes(client: Any, world: World) -> None:  # noqa: F811
    """Names are made fit for Python: `centre.index` is `centre_index`.

    birdy takes the reference system of a box for the box's value: it has to be told that there is
    none, and cannot give one.
    """
    assert "NDVI over a box." in getattr(client, f"{world.provider.slug}_index").__doc__
    assert "Gives back what it is given" in client.portal_echo.__doc__
    run = client.portal_echo(literal="grüße; a=b@c", bbox=None)
    assert run.isSucceded()
    assert run.get().literal == "grüße; a=b@c"
    assert Job.objects.get().owner == world.researcher


def test_birdy_runs_at_a_provider_and_reads_outputs(
    client: Any,
    world: World,  # noqa: F811
    key: str,
) -> None:
    import requests

    run = getattr(client, f"{world.provider.slug}_stretch")(percent=2.5)
    assert run.isSucceded()
    mean, result = run.get()
    assert float(mean) == 0.61
    # Documents and files are addresses of the portal, for who may see the job.
    answer = requests.get(result, auth=(world.researcher.username, key), timeout=30)
    assert answer.content == TIFF
    assert requests.get(result, timeout=30).status_code == 401


def test_birdy_tells_what_is_wrong(client: Any, world: World) -> None:  # noqa: F811
    from owslib.util import ServiceException

    function = getattr(client, f"{world.provider.slug}_stretch")
    with pytest.raises(ServiceException, match='locator="percent"'):
        function(percent=-1)


# --- QGIS ------------------------------------------------------------------------------------

QGIS_EXECUTE = """<?xml version="1.0" encoding="utf-8" standalone="yes"?>
<wps:Execute service="WPS" version="1.0.0"
 xmlns:wps="http://www.opengis.net/wps/1.0.0" xmlns:ows="http://www.opengis.net/ows/1.1"
 xmlns:ogc="http://www.opengis.net/ogc" xmlns:xlink="http://www.w3.org/1999/xlink"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xsi:schemaLocation="http://www.opengis.net/wps/1.0.0
 http://schemas.opengis.net/wps/1.0.0/wpsExecute_request.xsd">
<ows:Identifier>portal.echo</ows:Identifier>
<wps:DataInputs>
<wps:Input><ows:Identifier>literal</ows:Identifier><ows:Title>literal</ows:Title>
<wps:Data><wps:LiteralData>qgis</wps:LiteralData></wps:Data></wps:Input>
<wps:Input><ows:Identifier>complex</ows:Identifier><ows:Title>complex</ows:Title>
<wps:Data><wps:ComplexData mimeType="text/xml" schema="http://schemas.opengis.net/gml/3.1.1/base/">
<ogr:FeatureCollection xmlns:ogr="http://ogr.maptools.org/"><ogr:a>1</ogr:a></ogr:FeatureCollection>
</wps:ComplexData></wps:Data></wps:Input>
</wps:DataInputs>
<wps:ResponseForm>
<wps:ResponseDocument lineage="false" storeExecuteResponse="false" status="false">
<wps:Output><ows:Identifier>literal</ows:Identifier></wps:Output>
<wps:Output asReference="true" mimeType="text/xml">
<ows:Identifier>complex</ows:Identifier></wps:Output>
</wps:ResponseDocument></wps:ResponseForm></wps:Execute>"""


def test_qgis(world: World, key: str, client: Any) -> None:  # noqa: F811
    """As its WPS plugins build their addresses: other cases, an empty identifier, a version."""
    import requests

    address = client._wps.url
    auth = (world.researcher.username, key)

    def get(query: str) -> Any:
        answer = requests.get(f"{address}?{query}", auth=auth, timeout=30)
        assert answer.headers["Content-Type"] == "text/xml"
        return valid(answer.content)

    caps = get("Request=GetCapabilities&identifier=&Service=WPS&AcceptVersions=1.0.0")
    again = get("SERVICE=WPS&REQUEST=GetCapabilities&VERSION=1.0.0")
    assert caps.tag == again.tag == f"{WPS}Capabilities"
    one = f"{world.provider.slug}.index"
    described = get(f"Request=DescribeProcess&identifier={one}&Service=WPS&Version=1.0.0")
    assert described[0][0].text == one
    answer = requests.post(
        address, QGIS_EXECUTE.encode(), auth=auth, headers={"Content-Type": "text/xml"}, timeout=30
    )
    root = valid(answer.content)
    literal, document = root.iterfind(f"{WPS}ProcessOutputs/{WPS}Output")
    assert literal.findtext(f"{WPS}Data/{WPS}LiteralData") == "qgis"
    href = document.find(f"{WPS}Reference").get("href")
    assert b"FeatureCollection" in requests.get(href, auth=auth, timeout=30).content
