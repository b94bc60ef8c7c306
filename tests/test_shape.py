"""The shape of the code: layers, sizes, the one way out, and nothing swallowed."""

from __future__ import annotations

import ast
import io
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from importlinter.cli import lint_imports

import common

ROOT = Path(__file__).parents[1]
PACKAGES = ("common", "people", "accounting", "providers", "catalogue_client", "thematic_apps")
PACKAGES += ("jobs", "wps_proxy", "portal", "bench")
LINES, TEST_LINES = 300, 500

# The network is reached here and nowhere else.
WAY_OUT = {"common/http.py", "common/guard.py", "common/wire.py"}
NETWORK = {"urllib3", "socket", "socketserver", "http.client", "requests", "httpx", "aiohttp"} | {
    "urllib.request",
    "ftplib",
    "smtplib",
    "telnetlib",
    "asyncio",
    "websockets",
}
MAY_USE = {
    "portal/demo": {"socket"},  # looks whether a port is free
    "portal/assets.py": {"urllib.request"},  # set-up, before there is a portal
    "jobs/worker.py": {"socket"},  # its host's name
    "bench": {"asyncio", "socket", "socketserver", "urllib3", "urllib.request", "http.client"},
}

# Where an error of any kind must not end the loop around it, or must become an answer.
BROAD = {
    "jobs/periodic.py": "one failing chore must not stop the others",
    "accounting/statements/monthly.py": "one account that cannot be closed keeps no other open",
    "jobs/worker.py": "one failing step must not stop the worker",
    "portal/health.py": "whatever breaks means: not ready",
    "portal/doctor.py": "whatever a client library raises means: it does not answer",
    "wps_proxy/exchange.py": "the outermost wrapper: WPS clients need a report, not a page",
    "wps_proxy/ogcapi/problems.py": "the same: clients of the API need a problem document",
}


def _files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


CODE = [path for path in _files(*PACKAGES) if "migrations" not in path.parts]
TESTS = _files("tests")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_imports_go_down_the_layers():
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


@pytest.mark.parametrize(("paths", "most"), [(CODE, LINES), (TESTS, TEST_LINES)])
def test_no_file_is_long(paths, most):
    assert paths
    lengths = {_name(path): len(path.read_text().splitlines()) for path in paths}
    assert {name: lines for name, lines in lengths.items() if lines > most} == {}


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
            ("import_module", "__import__")
        ):
            yield from (arg.value for arg in node.args if isinstance(arg, ast.Constant))


def _on_the_network(module: str) -> str | None:
    return next((n for n in NETWORK if module == n or module.startswith(f"{n}.")), None)


def test_there_is_one_way_out_to_the_network():
    found = set()
    for path in CODE:
        name = _name(path)
        may = {m for start, modules in MAY_USE.items() if name.startswith(start) for m in modules}
        used = {_on_the_network(m) for m in _imported(ast.parse(path.read_text()))} - {None}
        found |= {(name, module) for module in used - may if name not in WAY_OUT}
    assert found == set()


def test_the_check_of_the_way_out_can_fail():
    hidden = "import importlib\ndef f():\n    importlib.import_module('requests.api')\n"
    plain = "from urllib import request\nfrom http.client import HTTPConnection\n"
    for source, module in ((hidden, "requests"), (plain, "urllib.request"), (plain, "http.client")):
        assert module in {_on_the_network(m) for m in _imported(ast.parse(source))}


def _swallows_anything(node: ast.ExceptHandler) -> bool:
    """A handler of every error that does not raise in the end."""
    if isinstance(node.body[-1], ast.Raise):
        return False
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(k is None or ast.unparse(k) in ("Exception", "BaseException") for k in kinds)


def test_no_error_is_swallowed():
    broad = {
        _name(path)
        for path in CODE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and _swallows_anything(node)
    }
    assert broad - BROAD.keys() == set()


@pytest.mark.django_db
def test_all_migrations_are_made():
    output = io.StringIO()
    try:
        call_command("makemigrations", check=True, dry_run=True, stdout=output)
    except SystemExit:
        pytest.fail(output.getvalue())


def test_the_version_is_the_same_everywhere(settings):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == common.VERSION == settings.SPECTACULAR_SETTINGS["VERSION"]
