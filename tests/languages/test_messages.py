"""Nothing that people read is forgotten: each sentence of the code has a translation in each language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message

from server import errors
from tools import messages

CATALOGUES = messages.catalogues()
PLACE = re.compile(r"%\(\w+\)[sd]|%[sd]")
HAN = r"[\u3400-\u9fff]"


@pytest.fixture(scope="module")
def template() -> Catalog:
    """Every sentence of the code as it is now."""
    return messages.extracted()


def languages(path: Path) -> str:
    return path.parts[-3]


def of(path: Path) -> Iterator[tuple[Message, str, list[str]]]:
    """The messages of a catalogue: each with its English text and its translations."""
    for message in messages.read(path):
        if message.id:
            english = message.id if isinstance(message.id, str) else message.id[-1]
            forms = [message.string] if isinstance(message.string, str) else list(message.string or [""])
            yield message, english, forms


def test_there_is_chinese() -> None:
    assert [languages(path) for path in CATALOGUES] == ["zh_Hans"]


def test_the_template_has_every_sentence_of_the_code(template: Catalog) -> None:
    assert messages.TEMPLATE.read_text(encoding="utf-8") == messages.written(template), "run: python -m tools.messages"


@pytest.mark.parametrize("path", CATALOGUES, ids=languages)
def test_a_catalogue_has_every_sentence_of_the_code_and_no_other(template: Catalog, path: Path) -> None:
    catalogue = messages.read(path)
    assert {message.id for message in catalogue} == {message.id for message in template}
    assert list(catalogue.obsolete) == []


@pytest.mark.parametrize("path", CATALOGUES, ids=languages)
def test_a_catalogue_is_as_the_tool_writes_it(template: Catalog, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == messages.written(messages.updated(path, template)), "run: python -m tools.messages"


@pytest.mark.parametrize("path", CATALOGUES, ids=languages)
def test_every_sentence_is_translated(path: Path) -> None:
    assert [english for message, english, _ in of(path) if not messages.translated(message)] == []


@pytest.mark.parametrize("path", CATALOGUES, ids=languages)
def test_no_translation_is_a_guess(path: Path) -> None:
    assert [english for message, english, _ in of(path) if message.fuzzy] == []


@pytest.mark.parametrize("path", CATALOGUES, ids=languages)
def test_every_translation_has_the_places_of_the_english_sentence(path: Path) -> None:
    wrong = [
        (english, form)
        for _, english, forms in of(path)
        for form in forms
        if sorted(PLACE.findall(form)) != sorted(PLACE.findall(english))
    ]
    assert wrong == []


# --- Chinese


CHINESE = messages.LOCALE / "zh_Hans" / "LC_MESSAGES" / "ringback.po"
SAID = [form for _, _, forms in of(CHINESE) for form in forms]


def test_chinese_is_written_in_chinese() -> None:
    # What has no character of its own: places, and what stands between them.
    assert [form for form in SAID if not re.search(HAN, form) and re.search("[A-Za-z]", PLACE.sub("", form))] == []


def test_chinese_has_its_own_punctuation() -> None:
    assert [form for form in SAID if re.search(rf"{HAN}\s*[,.:;?!]|{HAN}\(|\){HAN}|\.\.\.", form)] == []


def test_chinese_has_a_space_beside_latin_letters_figures_and_values() -> None:
    beside = rf"{HAN}(?:[A-Za-z0-9`]|%\((?!devices))|[A-Za-z0-9`]{HAN}|(?<!devices)\)s{HAN}"
    assert [form for form in SAID if re.search(beside, form)] == []


def test_chinese_addresses_everybody_alike() -> None:
    assert [form for form in SAID if "您" in form] == []


# --- What can be translated at all


def raised() -> Iterator[tuple[str, ast.Call]]:
    """Every refusal that the server makes, with where."""
    names = {error.__name__ for error in errors.catalogue()} | {"Refused", "_refuse", "ProtocolFailure"}
    for folder in ("server", "handlers"):
        for path in sorted((messages.ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in names:
                    yield f"{path.relative_to(messages.ROOT)}:{node.lineno}", node


def test_no_refusal_is_put_together_from_pieces() -> None:
    pieces = (ast.JoinedStr, ast.BinOp)
    assert [where for where, call in raised() if any(isinstance(part, pieces) for part in call.args)] == []


def test_no_rule_of_a_field_is_put_together_from_pieces() -> None:
    rules = [(where, call) for where, call in raised() if any(word.arg == "fields" for word in call.keywords)]
    assert [where for where, call in rules if any(isinstance(part, ast.JoinedStr) for part in rules_of(call))] == []


def rules_of(call: ast.Call) -> list[ast.expr]:
    """What `fields={…}` of a refusal says about each field."""
    return [rule for word in call.keywords if isinstance(word.value, ast.Dict) for rule in word.value.values]


def test_every_sentence_of_a_script_is_a_literal_that_is_found(template: Catalog) -> None:
    calls = [call for path in (messages.ROOT / "static/js").rglob("*.js") for call in said_in(path)]
    assert [call for call in calls if call not in template] == []


def said_in(script: Path) -> Iterator[str]:
    """What stands first in each call of `_` and `ngettext`; the rest of the line, where that is no literal."""
    text = script.read_text(encoding="utf-8")
    for call in re.finditer(r"(?<![\w.#$])(?<!function )(?:_|ngettext)\(\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\n]*))", text):
        yield call[1] if call[1] is not None else f"{script.name}: {call[2]}"
