"""The documents are true: what they take from the code is up to date, their links lead somewhere, their commands exist.

Also the drawing of the house in docs/architecture.md, and its rule that imports run downwards only.
"""

from __future__ import annotations

import ast
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from server.cli import main
from server.config import describe
from server.version import VERSION
from tests.markdown import Document
from tools.documents import render

ROOT = Path(__file__).resolve().parent.parent
HANDBOOK = sorted((ROOT / "docs").glob("*.md"))
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *HANDBOOK]
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]

# --- What is made from the code


@pytest.mark.parametrize("path", HANDBOOK, ids=lambda path: path.name)
def test_generated_tables_are_up_to_date(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == render(text), "run: python -m tools.documents"


def test_every_setting_has_its_row() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert [info.key for info in describe() if f"| `{info.key}` |" not in text] == []


def test_the_configuration_file_is_mentioned() -> None:
    assert "`config.yaml`" in (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


def test_the_newest_version_of_the_changelog_is_this_one() -> None:
    versions = re.findall(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert versions[0] == VERSION


def test_every_figure_for_prometheus_is_explained() -> None:
    sources = [
        path.read_text(encoding="utf-8") for path in (ROOT / "server" / "metrics.py", ROOT / "server" / "app.py")
    ]
    real = set(re.findall(r'"(ringback_[a-z_]+)"', "".join(sources)))
    explained = set(re.findall(r"^\| `(ringback_[a-z_]+?)(?:_total)?`", text_of("operations.md"), re.MULTILINE))
    assert explained == real


# --- Links and commands


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_links_lead_somewhere(path: Path) -> None:
    assert [link for link in Document(path).links() if not leads_somewhere(path, link)] == []


def leads_somewhere(path: Path, link: str) -> bool:
    """Whether a link from `path` leads to a file that is there, and to a heading in it; others' sites are not asked."""
    if re.match(r"(https?|mailto):", link):
        return True
    file, _, anchor = link.partition("#")
    target = (path.parent / file).resolve() if file else path
    if not target.exists() or not target.is_relative_to(ROOT):
        return False
    return not anchor or anchor in Document(target).anchors()


def commands_in(document: Document) -> Iterator[str]:
    """Every `ringback …` in the code of a document, also behind `&&`, a pipe, or variables."""
    for line in document.commands():
        for part in re.split(r"&&|[|;]", line):
            if found := re.match(r"\s*(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?(ringback(?: .*)?)$", part):
                yield found[1].strip()


COMMANDS = sorted({command for path in DOCUMENTS for command in commands_in(Document(path))})


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_that_is_named_exists_with_its_options(line: str) -> None:
    command: click.Command = main
    options = options_of(command)
    for word in shlex.split(line, comments=True)[1:]:
        if word.startswith("-"):
            assert word.partition("=")[0] in options, word
        elif isinstance(command, click.Group):
            assert word in command.commands, word
            command = command.commands[word]
            options |= options_of(command)


def options_of(command: click.Command) -> set[str]:
    """The options of a command, `--help` included."""
    params = command.get_params(click.Context(command))
    return {option for param in params if isinstance(param, click.Option) for option in param.opts}


def test_the_documents_name_commands() -> None:
    assert len(COMMANDS) > 8


# --- The drawing of the house


def text_of(name: str) -> str:
    """A document of the handbook."""
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def is_empty(path: Path) -> bool:
    """Whether a module is no more than the docstring of a package."""
    return len(ast.parse(path.read_text(encoding="utf-8")).body) <= 1


def test_the_drawing_names_every_file_of_the_server_and_no_other() -> None:
    files = [path for folder in ("server", "handlers") for path in (ROOT / folder).rglob("*.py") if not is_empty(path)]
    real = {str(path.relative_to(ROOT)) for path in files}
    drawn = re.findall(r"^((?:server|handlers)/[\w/]+\.py) ", text_of("architecture.md"), re.MULTILINE)
    assert sorted(drawn) == sorted(real)


def modules(folder: str) -> Iterator[tuple[str, Path]]:
    """The modules of a folder with their dotted names."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        yield name, path


def imports_of(path: Path) -> set[str]:
    """What a module imports, names from packages included, also where it is for type checking only."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


IMPORTS = {name: imports_of(path) for folder in ("server", "handlers") for name, path in modules(folder)}


def importers_of(*packages: str) -> set[str]:
    """The modules that import one of the packages, or something of it."""
    return {
        name
        for name, imported in IMPORTS.items()
        if any(each == package or each.startswith(package + ".") for each in imported for package in packages)
    }


def test_only_the_composition_root_and_the_command_line_know_the_handlers() -> None:
    above = {name for name in importers_of("handlers") if not name.startswith(("handlers", "server.cli"))}
    assert above == {"server.app"}


def test_nobody_below_the_command_line_knows_it() -> None:
    assert {name for name in importers_of("server.cli") if not name.startswith("server.cli")} == {"server.command"}


def test_only_the_command_line_and_tests_build_a_server() -> None:
    assert {name for name in importers_of("server.app") if not name.startswith("server.cli")} == set()


def test_only_the_driver_and_the_embedded_database_know_mongodb() -> None:
    allowed = {"server.store.driver", "server.store.embedded", "server.store.mongo_dir"}
    assert importers_of("motor", "pymongo", "bson", "gridfs") <= allowed


def test_only_the_handlers_and_what_runs_them_know_tornado() -> None:
    inside = {name for name in importers_of("tornado") if not name.startswith(("handlers", "server.cli"))}
    # A job is a PeriodicCallback, a forwarded address is written into the request, masking is Tornado's C function, and
    # push messages are sent by its client, to addresses that its resolver has looked at.
    push = {"server.push.sender", "server.push.resolver"}
    assert inside == push | {"server.app", "server.jobs", "server.log", "server.proxies", "server.realtime.framing"}


CLOCK = "server.clock"  # what others are handed; its type stands in signatures below
PURE = (
    "server.calls.rules",
    "server.calls.notices",
    "server.realtime.resume",
    "server.realtime.limits",
    "server.calls.recording_rules",
    "server.voicemail.rules",
    "server.voicemail.audio",
)
WITH_IO = {
    "asyncio",
    "concurrent",
    "http",
    "motor",
    "pymongo",
    "socket",
    "subprocess",
    "threading",
    "time",
    "tornado",
    "uvloop",
}


@pytest.mark.parametrize("name", PURE)
def test_rules_know_neither_input_nor_output(name: str) -> None:
    reached: set[str] = set()
    waiting = [name]
    while waiting:
        module = waiting.pop()
        reached.add(module)
        waiting += [each for each in IMPORTS[module] if each in IMPORTS and each not in reached | {CLOCK}]
    assert {each.partition(".")[0] for module in reached for each in IMPORTS[module]} & WITH_IO == set()
    assert not any(module.startswith("server.store") for module in reached)


@pytest.mark.parametrize("name", PURE)
def test_rules_have_no_clock(name: str) -> None:
    """The time comes in as an argument."""
    source = (ROOT / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8")
    assert CLOCK not in IMPORTS[name]
    assert not re.search(r"\.(now|utcnow|today|monotonic)\(", source)


def test_the_reference_client_stands_by_itself() -> None:
    imported = {each.partition(".")[0] for _, path in modules("ringback_client") for each in imports_of(path)}
    assert imported & {"server", "handlers", "tornado"} == set()


def test_imports_are_of_declared_packages() -> None:
    """What the server imports beside the standard library stands in setup.py."""
    needs = (ROOT / "setup.py").read_text(encoding="utf-8").replace("-", "_").lower()
    named_otherwise = {
        "argon2": "argon2_cffi",
        "jwt": "pyjwt",
        "yaml": "pyyaml",
        "bson": "pymongo",
        "gridfs": "pymongo",
        "msgspec": "msgspec",
    }
    imported = {each.partition(".")[0] for names in IMPORTS.values() for each in names}
    others = imported - sys.stdlib_module_names - {"server", "handlers", "ringback_client", "tools"}
    assert [each for each in others if named_otherwise.get(each, each) not in needs] == []
