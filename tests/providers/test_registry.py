"""Drivers: the built-in ones, and those that other packages bring."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from common.errors import ConfigurationError
from providers import registry
from providers.drivers.wps1 import Wps1Driver


class Other(Wps1Driver):
    """A driver of another package."""

    scheme = "other"


INSTALLED = EntryPoints(
    EntryPoint(name=name, value=value, group=registry.GROUP)
    for name, value in [
        ("other", f"{__name__}:Other"),
        ("broken", f"{__name__}:Missing"),
        ("wps-1.0", f"{__name__}:Other"),
    ]
)


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "entry_points", INSTALLED.select)
    registry.driver_of.cache_clear()
    yield
    registry.driver_of.cache_clear()


def test_a_driver_of_another_package_is_found_by_its_name() -> None:
    assert registry.driver_of("other").scheme == "other"
    assert registry.protocols() == ["broken", "ogcapi-processes", "other", "wps-1.0", "wps-2.0"]


def test_a_built_in_driver_cannot_be_replaced() -> None:
    assert registry.driver_of("wps-1.0").scheme == "wps-1.0"


@pytest.mark.parametrize("name", ["broken", "unknown"])
def test_a_driver_that_is_not_there_is_the_operators_business(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        registry.driver_of(name)
