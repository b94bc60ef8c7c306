"""Fetch the files that the browser loads: `python -m portal.assets`.

Set-up only, never at run time. package.json names the versions and package-lock.json the SHA-512 of
each package, so no Node is needed and nothing of others is kept in the repository. The registry is
that of NPM_CONFIG_REGISTRY, of the user's npm settings, or npm's public one.
"""

from __future__ import annotations

import base64
import configparser
import hashlib
import io
import json
import os
import re
import sys
import tarfile
import urllib.request  # noqa: TID251  set-up runs before the portal and its guarded client
from dataclasses import dataclass
from pathlib import Path

from portal.land import land_svg

ROOT = Path(__file__).resolve().parents[1]
VENDOR = ROOT / "static" / "vendor"
STAMP = ".package"
SECONDS = 60
MOST_BYTES = 64 * 2**20

WANTED: dict[str, tuple[str, ...]] = {
    "ol": ("dist/ol.js", "ol.css"),
    "world-atlas": ("land-110m.json", "land-50m.json", "countries-110m.json"),
    "chart.js": ("dist/chart.umd.min.js",),
    "dejavu-fonts-ttf": ("ttf/DejaVuSansCondensed.ttf", "ttf/DejaVuSansCondensed-Bold.ttf"),
    "axe-core": ("axe.min.js",),
}


@dataclass(frozen=True, slots=True)
class Package:
    """One locked package and the files wanted from it."""

    name: str
    version: str
    integrity: str  # "sha512-<base64>"
    files: tuple[str, ...]

    @property
    def stamp(self) -> str:
        """What is written beside the files, to know later that they are the wanted ones."""
        return json.dumps([self.version, self.integrity, *self.files])

    def address(self, registry: str) -> str:
        """Where a registry keeps the archive."""
        last = self.name.rpartition("/")[2]
        return f"{registry}/{self.name}/-/{last}-{self.version}.tgz"


def locked_packages(lock: Path = ROOT / "package-lock.json") -> list[Package]:
    """The wanted packages as locked. Raises KeyError for one that is not in the lock file."""
    entries = json.loads(lock.read_text())["packages"]
    return [
        Package(name, entry["version"], entry["integrity"], files)
        for name, files in WANTED.items()
        for entry in [entries[f"node_modules/{name}"]]
    ]


def registry() -> str:
    """The address of the registry, without a slash at its end."""
    chosen = os.environ.get("NPM_CONFIG_REGISTRY") or _registry_of_user()
    return (chosen or "https://registry.npmjs.org").rstrip("/")


def _registry_of_user() -> str:
    path = Path(os.environ.get("NPM_CONFIG_USERCONFIG") or Path.home() / ".npmrc")
    if not path.is_file():
        return ""
    settings = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",))
    settings.read_string("[npm]\n" + path.read_text())
    return settings.get("npm", "registry", fallback="").strip("\"' ")


def download(package: Package, base: str) -> bytes:
    """The package's archive, its hash checked. Raises ValueError when it is another file."""
    address = package.address(base)
    if not address.startswith("https://") and not address.startswith("http://"):
        raise ValueError(f"The npm registry must be an http or https address, not {base!r}.")
    with urllib.request.urlopen(address, timeout=SECONDS) as answer:  # noqa: S310, TID251
        archive: bytes = answer.read(MOST_BYTES)
    check(archive, package)
    return archive


def check(archive: bytes, package: Package) -> None:
    """Raise ValueError unless the archive has the hash of the lock file."""
    algorithm, _, expected = package.integrity.partition("-")
    if algorithm != "sha512":
        raise ValueError(f"{package.name}: the lock file must hold a SHA-512, not {algorithm}.")
    found = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if found != expected:
        raise ValueError(
            f"{package.name} {package.version}: the downloaded file is not the one in "
            f"package-lock.json (SHA-512 {found[:16]}…, expected {expected[:16]}…)."
        )


def extract(archive: bytes, package: Package, target: Path) -> None:
    """Write the wanted files, without directories, under `target`. KeyError when one is missing."""
    target.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as members:
        for name in package.files:
            member = members.extractfile(f"package/{name}")
            if member is None:
                raise KeyError(f"{package.name} has no file {name}")
            (target / Path(name).name).write_bytes(_without_source_map(member.read()))
    (target / STAMP).write_text(package.stamp)


def _without_source_map(content: bytes) -> bytes:
    """The maps are not fetched, and static file storage refuses links to absent files."""
    return re.sub(rb"(?://[#@]|/\*[#@])\s*sourceMappingURL=[^\s*]*\s*(?:\*/)?", b"", content)


def complete(package: Package, target: Path) -> bool:
    """Whether all wanted files of that very package are there."""
    stamp = target / STAMP
    files = (target / Path(name).name for name in package.files)
    return (
        stamp.is_file() and stamp.read_text() == package.stamp and all(f.is_file() for f in files)
    )


def main(vendor: Path = VENDOR) -> int:
    """Fetch what is missing; 1 when something could not be fetched."""
    for package in locked_packages():
        target = vendor / package.name
        if complete(package, target):
            continue
        try:
            extract(download(package, registry()), package, target)
        except (OSError, ValueError, KeyError) as error:
            sys.stderr.write(f"Browser files: {package.name} could not be fetched: {error}\n")
            return 1
        sys.stdout.write(f"browser files: {package.name} {package.version}\n")
    outline = vendor / "world-atlas" / "land.svg"
    if not outline.is_file():
        outline.write_text(land_svg(json.loads((outline.parent / "land-110m.json").read_text())))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
