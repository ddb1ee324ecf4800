"""The package: installed into an empty environment it has all it needs, and a machine that lacks something is told."""

from __future__ import annotations

import email
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from server import paths
from server.version import VERSION

REPOSITORY = Path(__file__).parents[1]
NOT_SOURCE = shutil.ignore_patterns(
    ".git",
    ".venv",
    "ringback-data",
    "build",
    "dist",
    "node_modules",
    "__pycache__",
    "*.egg-info",
    ".*_cache",
    ".hypothesis",
)
EXTRAS = {"aiortc", "av"}  # what a module may miss in an installation without extras

IMPORT_EVERYTHING = """
import importlib, pkgutil
for package in ("server", "handlers", "ringback_client"):
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except ImportError as error:
                print(error.name.partition(".")[0])
"""
PRINT_PATHS = """
from server import paths
print(paths.templates_dir(), paths.static_dir(), paths.locale_dir(), sep="\\n")
print(paths.default_config(), paths.docs_dir(), sep="\\n")
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with what was built in it before: a build leaves its traces there, and not in this one."""
    folder = tmp_path_factory.mktemp("source") / "ringback"
    shutil.copytree(REPOSITORY, folder, ignore=NOT_SOURCE)
    (folder / "build" / "lib" / "server").mkdir(parents=True)
    (folder / "build" / "lib" / "server" / "removed_since.py").touch()
    return folder


@pytest.fixture(scope="module")
def wheel(source: Path) -> Path:
    """The wheel that pip makes of the clone, with the tools that pyproject.toml names."""
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", "dist", ".", cwd=source)
    return next((source / "dist").glob("ringback-*.whl"))


@pytest.fixture(scope="module")
def packaged(wheel: Path) -> set[str]:
    """The names of all files in the wheel."""
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs of an environment that had nothing in it before."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=True)
    run(folder / "bin" / "python", "-m", "pip", "install", "--quiet", wheel, cwd=folder)
    return folder / "bin"


def run(*command: str | Path, cwd: Path, expected: int = 0, **environment: str) -> str:
    """What a command printed, having ended with the exit code that is expected."""
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout + done.stderr


def files_below(folder: Path) -> Iterator[str]:
    """The paths of all files in a folder, from there."""
    yield from (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


# --- The wheel


@pytest.mark.parametrize("folder", ["templates", "static", "locale", "docs", "deploy"])
def test_the_wheel_holds_every_asset(source: Path, packaged: set[str], folder: str) -> None:
    names = [name for name in files_below(source / folder) if not name.startswith("screens/")]
    expected = {f"server/assets/{folder}/{name}" for name in names}
    assert expected and expected <= packaged


def test_the_wheel_holds_no_pictures_of_the_pages(source: Path, packaged: set[str]) -> None:
    assert (source / "docs" / "screens").is_dir()
    assert not [name for name in packaged if "/docs/screens/" in name]


def test_the_wheel_holds_the_default_configuration_and_the_fetched_files(packaged: set[str]) -> None:
    assert {"server/assets/config.yaml", "server/assets/static/vendor/icons.svg"} <= packaged


@pytest.mark.parametrize("package", ["server", "handlers", "ringback_client"])
def test_the_wheel_holds_every_module(source: Path, packaged: set[str], package: str) -> None:
    modules = {f"{package}/{name}" for name in files_below(source / package) if name.endswith(".py")}
    assert modules and modules <= packaged


def test_the_wheel_holds_nothing_else(packaged: set[str]) -> None:
    tops = {name.partition("/")[0] for name in packaged}
    assert tops == {"server", "handlers", "ringback_client", f"ringback-{VERSION}.dist-info"}


def test_the_wheel_holds_nothing_of_an_earlier_build(packaged: set[str]) -> None:
    assert "server/removed_since.py" not in packaged


def test_the_wheel_says_version_licence_and_python(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = email.message_from_bytes(archive.read(f"ringback-{VERSION}.dist-info/METADATA"))
    assert metadata["Version"] == VERSION
    assert metadata["Requires-Python"] == ">=3.11"
    assert "Apache-2.0" in (metadata["License"] or metadata["License-Expression"])
    assert {"embedded", "media", "test"} <= set(metadata.get_all("Provides-Extra") or ())


def test_a_build_that_cannot_fetch_says_so_in_one_line(source: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    shutil.copytree(source, clone, ignore=shutil.ignore_patterns("build", "dist", "vendor"))
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text("#!/bin/sh\necho 'npm error network: getaddrinfo ENOTFOUND' >&2\nexit 1\n")
    npm.chmod(0o755)
    path = f"{npm.parent}:{os.environ['PATH']}"
    output = run(sys.executable, "-m", "pip", "wheel", "--no-deps", ".", cwd=clone, expected=1, PATH=path)
    assert re.search(r"the pages' third-party files are missing: .*ENOTFOUND", output)


# --- Installed


def test_assets_are_found_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    found = [Path(line) for line in run(installed / "python", "-c", PRINT_PATHS, cwd=tmp_path).splitlines()]
    assert all(path.exists() and installed.parent in path.parents for path in found)


def test_every_module_can_be_imported_without_extras(installed: Path, tmp_path: Path) -> None:
    missing = run(installed / "python", "-W", "ignore", "-c", IMPORT_EVERYTHING, cwd=tmp_path).split()
    assert set(missing) <= EXTRAS


def test_the_softphone_says_which_extra_it_needs(installed: Path, tmp_path: Path) -> None:
    assert "[media]" in run(installed / "ringback-softphone", cwd=tmp_path, expected=1)


def test_the_command_works_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    assert "serve" in run(installed / "ringback", "--help", cwd=tmp_path)


# --- From a clone


def test_assets_of_a_clone_are_those_at_its_top() -> None:
    assert paths.default_config() == REPOSITORY / "config.yaml"
    assert (paths.templates_dir(), paths.static_dir()) == (REPOSITORY / "templates", REPOSITORY / "static")
    assert paths.locale_dir() == REPOSITORY / "locale"


def test_a_clone_on_a_machine_without_python_is_told_what_brings_it(tmp_path: Path) -> None:
    for program in ("sh", "dirname"):
        (tmp_path / program).symlink_to(shutil.which(program) or "")
    output = run("sh", "tools/bootstrap.sh", cwd=REPOSITORY, expected=1, PATH=str(tmp_path), PYTHON="")
    assert re.fullmatch(r"Ringback needs Python 3\.11 or newer: apt-get install python3\S* python3\S*-venv\n", output)


def test_a_python_that_is_too_old_is_refused(tmp_path: Path) -> None:
    old = tmp_path / "python3.10"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    output = run("sh", "tools/bootstrap.sh", cwd=REPOSITORY, expected=1, PYTHON=str(old))
    assert output.startswith(f"Ringback needs Python 3.11 or newer, which {old} is not: apt-get install ")


def test_a_python_without_virtual_environments_is_told_what_brings_them(source: Path, tmp_path: Path) -> None:
    (tmp_path / "ensurepip.py").write_text("raise ImportError('Debian has it in a package of its own')\n")
    python = {"PYTHON": sys.executable, "PYTHONPATH": str(tmp_path)}
    output = run("sh", "tools/bootstrap.sh", "embedded", cwd=source, expected=1, **python)
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    assert output.endswith(f"{package} is missing: apt-get install {package}\n")
    assert not (source / ".venv").exists()
