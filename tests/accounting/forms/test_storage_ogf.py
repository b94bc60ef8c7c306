"""StAR and OGF records: storage, and jobs, machines and storage in blocks."""

from __future__ import annotations

from datetime import date

import pytest

from accounting.models import Unit
from accounting.usage.forms import parse
from tests.accounting.forms.build import AT, fields_at_fault, only
from tests.accounting.forms.documents import (
    COMPUTE,
    DAY,
    KEPT,
    STAR,
    car,
    ogf,
    ogf2,
    record,
    star,
    xml,
)

# --- StAR ------------------------------------------------------------------------------------


def test_storage_is_known_by_its_record_id() -> None:
    first, second = (
        record(KEPT, "StorageUsageRecord"),
        record(
            KEPT,
            "StorageUsageRecord",
            ResourceCapacityUsed="<ResourceCapacityUsed>7</ResourceCapacityUsed>",
        ),
    )
    (got,) = parse(xml("StorageUsageRecords", STAR, first, second), at=AT).records
    assert (got.key, got.quantities) == (("r1",), {Unit.STORAGE_GB_DAY: 7 * DAY})
    assert (got.site, got.group) == ("se.example.org", "tep.urban")


def test_an_older_producer_has_the_site_among_the_subject() -> None:
    subject = "<SubjectIdentity><Site>OLD</Site><LocalUser>ada</LocalUser></SubjectIdentity>"
    got = only(star(SubjectIdentity=subject))
    assert (got.site, got.user) == ("OLD", "ada")
    assert only(star(SubjectIdentity=f"<Site>NEW</Site>{subject}")).site == "NEW"
    assert only(star(SubjectIdentity=f"{subject}<Site>NEW</Site>")).site == "NEW"


@pytest.mark.parametrize("key", ["RecordIdentity", "StorageSystem", "StartTime", "EndTime"])
def test_what_storage_must_tell(key: str) -> None:
    assert fields_at_fault(star(**{key: ""})) == {key.replace("RecordIdentity", "RecordId")}


def test_storage_that_ends_before_it_begins() -> None:
    assert fields_at_fault(star(EndTime="<EndTime>2026-01-01T00:00:00Z</EndTime>")) == {"EndTime"}
    assert fields_at_fault(
        star(ResourceCapacityUsed="<ResourceCapacityUsed>-1</ResourceCapacityUsed>")
    ) == {"ResourceCapacityUsed"}


# --- OGF -------------------------------------------------------------------------------------


def test_ogf_1_makes_do_with_a_machine_and_a_global_id() -> None:
    identity = "<JobIdentity><GlobalJobId>https://a/1</GlobalJobId></JobIdentity>"
    got = only(ogf(JobIdentity=identity, Site="<MachineName>m</MachineName>"))
    assert (got.site, got.job, got.other_names) == ("m", "https://a/1", ("https://a/1",))
    assert fields_at_fault(ogf(JobIdentity="")) == {"LocalJobId"}


def test_a_service_level_of_ogf_may_be_any_word() -> None:
    got = only(ogf(ServiceLevel='<ServiceLevel n:type="QoS">gold</ServiceLevel>'))
    assert (got.benchmark, got.fields["ServiceClass"]) == ("none", "QoS gold")
    assert only(ogf(x='<ServiceLevel n:type="HEPSPEC">9</ServiceLevel>')).level_milli == 9000


def test_ogf_2_job() -> None:
    got = only(
        ogf2(
            ComputeUsageBlock=COMPUTE,
            JobUsageBlock="<LocalJobId>4711</LocalJobId><Status>completed</Status>",
            MemoryUsageBlock="<MemoryResourceCapacityUsed>4096000</MemoryResourceCapacityUsed>",
            NetworkUsageBlock="<NetworkInboundUsed>5</NetworkInboundUsed>"
            "<NetworkOutboundUsed>6</NetworkOutboundUsed>",
        )
    )
    assert (got.type, got.job, got.site, got.user) == ("job", "4711", "TEP-CENTRE-1", "CN=Ada")
    assert got.key == only(car()).key
    assert got.quantities == {
        Unit.CPU_CORE_HOUR: 7200,
        Unit.WALL_HOUR: 3600,
        Unit.WALL_CORE_HOUR: 7200,
        Unit.HS23_HOUR: 7_200_000,
        Unit.MEM_GB_HOUR: 4096 * 3600,
        Unit.NET_GB: 11,
    }


def test_ogf_2_machine_and_storage() -> None:
    machine = only(
        ogf2(
            ComputeUsageBlock=COMPUTE,
            CloudUsageBlock="<GlobalVirtualMachineId>vm</GlobalVirtualMachineId>"
            "<Status>completed</Status>",
            NetworkUsageBlock="<NetworkInboundUsed>1500000001</NetworkInboundUsed>",
        )
    )
    assert (machine.type, machine.counter_of, machine.month) == ("cloud", "vm", date(2026, 2, 1))
    assert machine.quantities[Unit.NET_GB] == 1_500_000_001
    assert (machine.wall_seconds, machine.processors) == (3600, 2)
    kept = only(
        ogf2(
            StorageUsageBlock="<StorageResourceCapacityUsed>10</StorageResourceCapacityUsed>"
            "<StartTime>2026-02-01T00:00:00Z</StartTime><EndTime>2026-02-02T00:00:00Z</EndTime>"
        )
    )
    assert (kept.type, kept.quantities) == ("storage", {Unit.STORAGE_GB_DAY: 10 * DAY})
