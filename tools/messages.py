"""Collects every sentence that people read and brings the catalogues up to date: `python -m tools.messages`.

What is new stands in `locale/<language>/LC_MESSAGES/ringback.po` without a translation then; what nobody says any more
is gone. Nothing is guessed, and nothing is written that changes by itself (dates, line numbers), so that a catalogue
changes when a sentence does. docs/languages.md says how to translate.
"""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from server import errors
from server.calls import outcomes
from server.close_codes import REGISTRY
from tools.python_messages import extract_python
from tools.template_messages import extract_template

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
TEMPLATE = LOCALE / "ringback.pot"

ERRORS: list[type[errors.RingbackError]] = [errors.RingbackError, *errors.catalogue()]

SAID: dict[str, Any] = {"_": {None: (1,), 3: (1, 2)}, "ngettext": (1, 2)}
"""Functions that say a sentence, and where in their arguments it stands."""
SAID_BY_SERVER: dict[str, Any] = SAID | {
    "N_": (1,),
    "translate": (1,),
    "Refused": (2,),
    "_refuse": (2,),
    "ProtocolFailure": (2,),
    **{error.__name__: (1,) for error in ERRORS},
}
SOURCES: tuple[tuple[str, Any, dict[str, Any]], ...] = (
    ("server", extract_python, SAID_BY_SERVER),
    ("handlers", extract_python, SAID_BY_SERVER),
    ("templates", extract_template, SAID),
    ("static/js", "javascript", SAID),
)
SILENT = "server/cli"
"""The command line speaks English."""
HEAD = """\
msgid ""
msgstr ""
"Language: {code}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals}\\n"

"""


def main() -> None:
    """Writes the template and every catalogue anew, and says what still needs a translation."""
    template = extracted()
    TEMPLATE.write_text(written(template), encoding="utf-8")
    for path in catalogues():
        catalogue = updated(path, template)
        path.write_text(written(catalogue), encoding="utf-8")
        waiting = [message for message in catalogue if message.id and not translated(message)]
        print(f"{path.relative_to(ROOT)}: {len(catalogue)} messages, {len(waiting)} without a translation")


def catalogues() -> list[Path]:
    """The catalogue of every language."""
    return sorted(LOCALE.glob("*/LC_MESSAGES/ringback.po"))


def read(path: Path) -> Catalog:
    """A catalogue as it stands; the folder names its language."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3], abort_invalid=True)


def translated(message: Message) -> bool:
    """Whether a message has a translation in each of its forms."""
    forms = message.string if isinstance(message.string, list | tuple) else [message.string]
    return all(forms)


def extracted() -> Catalog:
    """Every sentence of the code, without translations."""
    catalogue = Catalog()
    for place, sentence in _found():
        catalogue.add(sentence, locations=[(place, 0)])
    return catalogue


def updated(path: Path, template: Catalog) -> Catalog:
    """The catalogue at `path` with the sentences of `template`, and its own translations of them."""
    catalogue = read(path)
    catalogue.update(template, no_fuzzy_matching=True)
    return catalogue


def written(catalogue: Catalog) -> str:
    """A catalogue as its file is to read: by sentence, each with the files that say it."""
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=0, omit_header=True, sort_output=True, ignore_obsolete=True, include_lineno=False)
    code = str(catalogue.locale or "")
    return HEAD.format(code=code, plurals=catalogue.plural_forms) + buffer.getvalue().decode()


def _found() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    for folder, method, keywords in SOURCES:
        everywhere: list[Any] = [("**", method)]
        found = extract_from_dir(ROOT / folder, everywhere, keywords=keywords, directory_filter=_speaks)
        for name, _, sentence, _, _ in found:
            yield f"{folder}/{Path(name).as_posix()}", sentence
    for error in ERRORS:
        yield "server/errors.py", error.title
    for rule in REGISTRY.values():
        yield "server/close_codes.py", rule.message
    for sentence in _constants(outcomes.__file__):
        yield "server/calls/outcomes.py", sentence


def _speaks(folder: str) -> bool:
    return Path(folder).name != "__pycache__" and not Path(folder).is_relative_to(ROOT / SILENT)


def _constants(path: str) -> Iterator[str]:
    """The sentences among the constants of a module: texts of more than one word."""
    for node in ast.parse(Path(path).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for part in ast.walk(node.value):
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and " " in part.value:
                    yield part.value


if __name__ == "__main__":
    main()
