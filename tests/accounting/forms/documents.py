"""XML messages to read."""

from __future__ import annotations

CAR = "http://eu-emi.eu/namespaces/2012/11/computerecord"
STAR = "http://eu-emi.eu/namespaces/2011/02/storagerecord"
UR1 = "http://schema.ogf.org/urf/2003/09/urf"
UR2 = "http://schema.ogf.org/urf/2013/04/urf"
DAY = 86400

JOB = {
    "JobIdentity": "<JobIdentity><LocalJobId>4711</LocalJobId></JobIdentity>",
    "Status": "<Status>completed</Status>",
    "WallDuration": "<WallDuration>PT1H</WallDuration>",
    "CpuDuration": "<CpuDuration>PT2H</CpuDuration>",
    "EndTime": "<EndTime>2026-02-02T10:00:00Z</EndTime>",
    "StartTime": "<StartTime>2026-02-02T09:00:00Z</StartTime>",
    "Site": "<Site>TEP-CENTRE-1</Site>",
}
KEPT = {
    "RecordIdentity": '<RecordIdentity recordId="r1" createTime="2026-02-02T00:00:05Z"/>',
    "StorageSystem": "<StorageSystem>se.example.org</StorageSystem>",
    "SubjectIdentity": "<SubjectIdentity><Group>tep.urban</Group></SubjectIdentity>",
    "StartTime": "<StartTime>2026-02-01T00:00:00+00:00</StartTime>",
    "EndTime": "<EndTime>2026-02-02T00:00:00</EndTime>",
    "ResourceCapacityUsed": "<ResourceCapacityUsed>1000</ResourceCapacityUsed>",
}


def xml(root: str, namespace: str, *records: str) -> bytes:
    """Records in the default namespace, their attributes in it too."""
    body = "\n".join(records)
    return f'<{root} xmlns="{namespace}" xmlns:n="{namespace}">\n{body}\n</{root}>'.encode()


def record(parts: dict[str, str], name: str = "UsageRecord", **changed: str) -> str:
    return f"<{name}>\n" + "\n".join((parts | changed).values()) + f"\n</{name}>"


def car(**changed: str) -> bytes:
    return xml("UsageRecords", CAR, record(JOB, **changed))


def star(**changed: str) -> bytes:
    return xml("StorageUsageRecords", STAR, record(KEPT, "StorageUsageRecord", **changed))


def ogf(**changed: str) -> bytes:
    return xml("UsageRecords", UR1, record(JOB, "JobUsageRecord", **changed))


BLOCKS = {
    "RecordIdentityBlock": "<RecordId>r2</RecordId><CreateTime>2026-02-02T10:01:00Z</CreateTime>",
    "SubjectIdentityBlock": "<GlobalUserId>CN=Ada</GlobalUserId><Site>TEP-CENTRE-1</Site>"
    "<GlobalGroup>tep.urban</GlobalGroup>",
}
COMPUTE = (
    "<CpuDuration>PT2H</CpuDuration><WallDuration>PT1H</WallDuration><Processors>2</Processors>"
    "<StartTime>2026-02-02T09:00:00Z</StartTime><EndTime>2026-02-02T10:00:00Z</EndTime>"
)


def ogf2(**blocks: str) -> bytes:
    parts = {name: f"<{name}>{inner}</{name}>" for name, inner in (BLOCKS | blocks).items()}
    return xml("UsageRecords", UR2, record(parts))
