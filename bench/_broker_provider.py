"""A provider that costs next to nothing: WPS 1.0.0 from ready-made bytes, in one event loop.

python -m bench._broker_provider <port> <processes> <seconds a run takes> <file>

GetCapabilities and DescribeProcess list so many processes. Execute answers after the given time
with its end, or at once with an address whose status is "started", for an identifier that ends in
`-async`. `/file` is the file, whole or a range of it. `/count`: how many runs came, and how many
references; `/asked`: how many status questions, of how many jobs, and the longest gap in seconds
between two of one.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from pathlib import Path

HEAD = b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n%sConnection: keep-alive\r\n\r\n"
NAMES = (
    'xmlns:wps="http://www.opengis.net/wps/1.0.0" xmlns:ows="http://www.opengis.net/ows/1.1"'
    ' xmlns:xlink="http://www.w3.org/1999/xlink" service="WPS" version="1.0.0" xml:lang="en"'
)
ABSTRACT = "A process that a catalogue of processes describes in a sentence or two, as they are."
_RANGE = re.compile(rb"\r\nrange: bytes=(\d+)-(\d*)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_REFERENCE = re.compile(rb"\r\nx-remote-ref: ([^\r]+)", re.IGNORECASE)
_IDENTIFIER = re.compile(rb"Identifier[^>]*>([^<]+)<")


def names(number: int) -> list[str]:
    return [f"process-{n:03}" for n in range(number - 1)] + ["process-async"]


def capabilities(base: str, number: int) -> bytes:
    links = f'<ows:Get xlink:href="{base}/wps?"/><ows:Post xlink:href="{base}/wps"/>'
    operations = "".join(
        f'<ows:Operation name="{name}"><ows:DCP><ows:HTTP>{links}</ows:HTTP></ows:DCP>'
        "</ows:Operation>"
        for name in ("GetCapabilities", "DescribeProcess", "Execute")
    )
    offered = "".join(
        f'<wps:Process wps:processVersion="1"><ows:Identifier>{name}</ows:Identifier>'
        f"<ows:Title>The process {name}</ows:Title><ows:Abstract>{ABSTRACT}</ows:Abstract>"
        "</wps:Process>"
        for name in names(number)
    )
    return (
        f"<wps:Capabilities {NAMES}><ows:ServiceIdentification><ows:Title>Bench</ows:Title>"
        "<ows:ServiceType>WPS</ows:ServiceType><ows:ServiceTypeVersion>1.0.0"
        "</ows:ServiceTypeVersion></ows:ServiceIdentification><ows:ServiceProvider>"
        "<ows:ProviderName>Bench</ows:ProviderName><ows:ServiceContact/></ows:ServiceProvider>"
        f"<ows:OperationsMetadata>{operations}</ows:OperationsMetadata>"
        f"<wps:ProcessOfferings>{offered}</wps:ProcessOfferings><wps:Languages><wps:Default>"
        "<ows:Language>en</ows:Language></wps:Default><wps:Supported><ows:Language>en"
        "</ows:Language></wps:Supported></wps:Languages></wps:Capabilities>"
    ).encode()


def descriptions(number: int) -> bytes:
    literal = (
        '<LiteralData><ows:DataType ows:reference="http://www.w3.org/TR/xmlschema-2/#string">'
        "string</ows:DataType><ows:AnyValue/></LiteralData>"
    )
    described = "".join(
        f'<ProcessDescription wps:processVersion="1" storeSupported="true" statusSupported="true">'
        f"<ows:Identifier>{name}</ows:Identifier><ows:Title>The process {name}</ows:Title>"
        f"<ows:Abstract>{ABSTRACT}</ows:Abstract><DataInputs><Input minOccurs='1' maxOccurs='1'>"
        f"<ows:Identifier>message</ows:Identifier><ows:Title>Message</ows:Title>{literal}</Input>"
        "</DataInputs><ProcessOutputs><Output><ows:Identifier>result</ows:Identifier>"
        "<ows:Title>Result</ows:Title><LiteralOutput><ows:DataType>string</ows:DataType>"
        "</LiteralOutput></Output><Output><ows:Identifier>file</ows:Identifier><ows:Title>File"
        "</ows:Title><ComplexOutput><Default><Format><MimeType>application/octet-stream</MimeType>"
        "</Format></Default><Supported><Format><MimeType>application/octet-stream</MimeType>"
        "</Format></Supported></ComplexOutput></Output></ProcessOutputs></ProcessDescription>"
        for name in names(number)
    )
    return f"<wps:ProcessDescriptions {NAMES}>{described}</wps:ProcessDescriptions>".encode()


def response(base: str, status: str, outputs: str, location: str = "") -> bytes:
    where = f' statusLocation="{location}"' if location else ""
    return (
        f'<wps:ExecuteResponse {NAMES} serviceInstance="{base}/wps?"{where}>'
        '<wps:Process wps:processVersion="1"><ows:Identifier>p</ows:Identifier>'
        '<ows:Title>P</ows:Title></wps:Process><wps:Status creationTime="2026-03-02T10:15:00Z">'
        f"{status}</wps:Status>{outputs}</wps:ExecuteResponse>"
    ).encode()


class Provider:
    """What is answered, and what is counted."""

    def __init__(self, port: int, number: int, seconds: float, file: Path) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.seconds = seconds
        self.file = file
        self.capabilities = capabilities(self.base, number)
        self.descriptions = descriptions(number)
        outputs = (
            "<wps:ProcessOutputs><wps:Output><ows:Identifier>result</ows:Identifier><ows:Title>"
            "Result</ows:Title><wps:Data><wps:LiteralData>done</wps:LiteralData></wps:Data>"
            "</wps:Output><wps:Output><ows:Identifier>file</ows:Identifier><ows:Title>File"
            f'</ows:Title><wps:Reference href="{self.base}/file"'
            ' mimeType="application/octet-stream"/></wps:Output></wps:ProcessOutputs>'
        )
        self.ended = response(
            self.base, "<wps:ProcessSucceeded>Done</wps:ProcessSucceeded>", outputs
        )
        self.runs = 0
        self.references: set[bytes] = set()
        self.asked: dict[bytes, float] = {}
        self.questions = 0
        self.longest = 0.0

    async def answer(self, head: bytes, body: bytes) -> bytes:
        method, target, _ = head.split(b" ", 2)
        if method == b"POST":
            return await self.execute(head, body)
        if target.startswith(b"/status/"):
            return self.status(target)
        if b"describeprocess" in target.lower():
            return self.descriptions
        if target.startswith(b"/count"):
            return f"{self.runs} {len(self.references)}".encode()
        if target.startswith(b"/asked"):
            told = f"{self.questions} {len(self.asked)} {self.longest:.3f}".encode()
            self.questions, self.longest = 0, 0.0
            self.asked.clear()
            return told
        return self.capabilities

    async def execute(self, head: bytes, body: bytes) -> bytes:
        self.runs += 1
        found = _REFERENCE.search(head)
        reference = found[1] if found else str(self.runs).encode()
        self.references.add(reference)
        identifier = _IDENTIFIER.search(body)
        if identifier and identifier[1].endswith(b"-async"):
            return self.status(b"/status/" + reference)
        await asyncio.sleep(self.seconds)
        return self.ended

    def status(self, target: bytes) -> bytes:
        moment = time.monotonic()
        self.questions += 1
        self.longest = max(self.longest, moment - self.asked.get(target, moment))
        self.asked[target] = moment
        return response(
            self.base,
            '<wps:ProcessStarted percentCompleted="10">Working</wps:ProcessStarted>',
            "",
            self.base + target.decode(),
        )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                body = await reader.readexactly(int(length[1])) if length else b""
                if head.split(b" ", 2)[1].startswith(b"/file"):
                    await self.send_file(head, writer)
                    continue
                content = await self.answer(head, body)
                writer.write(HEAD % (b"200 OK", b"text/xml", len(content), b"") + content)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def send_file(self, head: bytes, writer: asyncio.StreamWriter) -> None:
        size = self.file.stat().st_size
        asked = _RANGE.search(head)
        first = int(asked[1]) if asked else 0
        last = min(int(asked[2] or size - 1) if asked else size - 1, size - 1)
        status, more = b"200 OK", b"Accept-Ranges: bytes\r\n"
        if asked:
            status = b"206 Partial Content"
            more += b"Content-Range: bytes %d-%d/%d\r\n" % (first, last, size)
        length = last - first + 1
        writer.write(HEAD % (status, b"application/octet-stream", length, more))
        await writer.drain()
        if not head.startswith(b"HEAD"):
            with self.file.open("rb") as file:
                await asyncio.get_running_loop().sendfile(writer.transport, file, first, length)


async def main() -> None:
    port, number, seconds, file = sys.argv[1:5]
    provider = Provider(int(port), int(number), float(seconds), Path(file))
    server = await asyncio.start_server(provider.serve, "0.0.0.0", int(port), limit=2**24)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
