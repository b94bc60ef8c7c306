"""Browser files: only those of the lock file, whole, and fetched once."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from portal import assets
from portal.assets import Package
from portal.land import land_svg

SCRIPT = b"let a = 1;\n//# sourceMappingURL=a.js.map\n"
STYLE = b"p{}/*# sourceMappingURL=a.css.map */"


def archive(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return target.getvalue()


def package(content: bytes, *files: str) -> Package:
    digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
    return Package("@some/thing", "1.2.3", f"sha512-{digest}", files or ("dist/a.js", "a.css"))


@pytest.fixture
def registry() -> Iterator[tuple[str, dict[str, bytes], list[str]]]:
    """A registry on this machine: address, what it has, what it was asked for."""
    held: dict[str, bytes] = {}
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200 if self.path in held else 404)
            self.end_headers()
            self.wfile.write(held.get(self.path, b""))

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", held, asked
    server.shutdown()
    server.server_close()


def test_the_wanted_files_are_taken_out_without_their_maps(registry, tmp_path: Path) -> None:
    base, held, asked = registry
    content = archive({"dist/a.js": SCRIPT, "a.css": STYLE, "../evil": b"x", "other.js": b"x"})
    held["/@some/thing/-/thing-1.2.3.tgz"] = content
    wanted = package(content)
    assert not assets.complete(wanted, tmp_path)
    assets.extract(assets.download(wanted, base), wanted, tmp_path)
    assert asked == ["/@some/thing/-/thing-1.2.3.tgz"]
    assert (tmp_path / "a.js").read_bytes().strip() == b"let a = 1;"
    assert (tmp_path / "a.css").read_bytes() == b"p{}"
    assert sorted(p.name for p in tmp_path.iterdir()) == [assets.STAMP, "a.css", "a.js"]
    assert assets.complete(wanted, tmp_path)
    newer = Package(wanted.name, "1.2.4", wanted.integrity, wanted.files)
    assert not assets.complete(newer, tmp_path)


def test_another_file_than_the_locked_one_is_refused(registry) -> None:
    base, held, _asked = registry
    wanted = package(archive({"dist/a.js": SCRIPT, "a.css": STYLE}))
    held["/@some/thing/-/thing-1.2.3.tgz"] = archive({"dist/a.js": b"evil()", "a.css": STYLE})
    with pytest.raises(ValueError, match="not the one in package-lock"):
        assets.download(wanted, base)
    with pytest.raises(ValueError, match="SHA-512"):
        assets.check(b"", Package("a", "1", "sha1-xyz", ()))
    with pytest.raises(ValueError, match="http"):
        assets.download(wanted, "file:///etc/passwd#")


def test_a_second_start_asks_nobody(
    registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    base, _held, asked = registry
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", base)
    assert assets.main(tmp_path) == 1
    assert len(asked) == 1
    assert "could not be fetched" in capsys.readouterr().err
    if not all(assets.complete(p, assets.VENDOR / p.name) for p in assets.locked_packages()):
        pytest.skip("the browser files are not fetched")
    assert assets.main() == 0
    assert len(asked) == 1


def test_where_the_registry_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NPM_CONFIG_REGISTRY", raising=False)
    settings = tmp_path / "npmrc"
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(settings))
    assert assets.registry() == "https://registry.npmjs.org"
    settings.write_text('//host/:_password="x=y"\nregistry = https://mirror.example.org/npm/\n')
    assert assets.registry() == "https://mirror.example.org/npm"
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "https://other.example.org/")
    assert assets.registry() == "https://other.example.org"


def test_every_wanted_package_is_locked() -> None:
    locked = assets.locked_packages()
    assert {p.name for p in locked} == set(assets.WANTED)
    named = json.loads((assets.ROOT / "package.json").read_text())
    versions = named["dependencies"] | named["devDependencies"]
    assert {p.name: p.version for p in locked} == versions


def test_the_land_is_drawn_from_differences() -> None:
    topology = {
        "transform": {"scale": [1.0, 1.0], "translate": [-180.0, -90.0]},
        "arcs": [[[180, 90], [10, 0], [0, 10]], [[180, 90], [10, 10]]],
        "objects": {"land": {"geometries": [{"type": "Polygon", "arcs": [[0, -2]]}]}},
    }
    assert 'd="M180.0 90.0L190.0 90.0L190.0 80.0L190.0 80.0L180.0 90.0Z"' in land_svg(topology)
