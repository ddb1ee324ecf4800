"""What the tool that collects sentences finds, and what it leaves."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from tools import messages
from tools.python_messages import extract_python
from tools.template_messages import extract_template


def in_template(folder: Path, text: str, **others: str) -> list[object]:
    """What is found in a template beside others."""
    for name, other in {"page": text, **others}.items():
        (folder / f"{name}.html").write_text(text if name == "page" else other, encoding="utf-8")
    with (folder / "page.html").open("rb") as file:
        return [arguments for _, _, arguments, _ in extract_template(file, messages.SAID, [], {})]


def test_a_template_in_a_folder_may_include_what_lies_outside_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "call"
    folder.mkdir(parents=True)
    (tmp_path / "templates" / "_name.html").write_text("", encoding="utf-8")
    assert in_template(folder, '{% include "../_name.html" %}{{ _("Sign in") }}')[0] in ("Sign in", ("Sign in", None))


@pytest.mark.parametrize(
    "text",
    [
        '{{ _("Sign in") }}',
        '{{ _("Sign in") % {"name": name} }}',
        '<p title="{{ _("Sign in") }}">',
        '{% set words = {"a": _("Sign in")} %}',
        '{% if _("Sign in") == word %}{% end %}',
        '{% if word %}{% elif _("Sign in") %}{% end %}',
        '{% for word in (_("Sign in"), name) %}{% end %}',
        '{% block main %}<b>{% if a %}{{ _("Sign in") }}{% end %}</b>{% end %}',
        '{% raw _("Sign in") %}',
    ],
)
def test_a_template_says_it(tmp_path: Path, text: str) -> None:
    assert in_template(tmp_path, text)[0] in ("Sign in", ("Sign in", None))


def test_a_template_says_both_forms_of_a_plural(tmp_path: Path) -> None:
    assert in_template(tmp_path, '{{ ngettext("one", "many", n) }}') == [("one", "many", None)]


def test_what_is_included_or_extended_is_found_in_its_own_file(tmp_path: Path) -> None:
    text = '{% extends "base.html" %}{% block main %}{% include "_other.html" %}{{ _("here") }}{% end %}'
    others = {"base": '{{ _("there") }}{% block main %}{% end %}', "_other": '{{ _("elsewhere") }}'}
    assert in_template(tmp_path, text, **others) == ["here"]


def test_what_is_no_sentence_is_left(tmp_path: Path) -> None:
    assert in_template(tmp_path, '{# _("no") #}{{ name }} _("no") {{ other("no") }}') == []


def in_python(text: str) -> list[tuple[str | None, ...]]:
    """What is found in a module."""
    found = extract_python(io.BytesIO(text.encode()), messages.SAID_BY_SERVER, [], {})
    return [arguments for _, _, arguments, _ in found]


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ('N_("at most %(count)s", count=3)', ("at most %(count)s",)),
        ('raise NotFound("no such call")', ("no such call",)),
        ('raise errors.NotFound("no such " "call")', ("no such call",)),
        ('Refused(CloseCode.ENDED, "over")', (None, "over")),
        ('self._refuse(code, "auth first")', (None, "auth first")),
    ],
)
def test_code_says_it(text: str, arguments: tuple[str | None, ...]) -> None:
    assert in_python(text) == [arguments]


def test_code_inside_other_code_is_found() -> None:
    found = in_python('raise BadRequest.of("limit", N_("a number"))\nraise TooLarge(N_("long"), fields={"a": N_("b")})')
    assert {argument for arguments in found for argument in arguments if argument} == {"a number", "long", "b"}


@pytest.mark.parametrize(
    "sentence",
    [
        "Sign in first",  # the title of an error
        "This server is restarting.",  # the message of a close code
        "Missed call",  # what became of a call
        "The body is larger than %(count)s bytes",  # the detail of an error
        "There is no such call",  # why a socket is not let in
        "Good to see you",  # a template
        "%(name)s is calling",  # a script
    ],
)
def test_every_place_that_speaks_is_looked_at(sentence: str) -> None:
    assert sentence in messages.extracted()


def test_the_command_line_is_not() -> None:
    places = [place for message in messages.extracted() for place, _ in message.locations]
    assert not any(place.startswith("server/cli") for place in places)


def test_scripts_of_others_are_not() -> None:
    places = [place for message in messages.extracted() for place, _ in message.locations]
    assert not any("vendor" in place for place in places)


# --- Catalogues


OLD = """
#: old.py
msgid "kept"
msgstr "behalten"

#: old.py
msgid "gone"
msgstr "weg"
"""


def catalogue(folder: Path, text: str) -> Path:
    """A catalogue as it stood before."""
    path = folder / "de" / "LC_MESSAGES" / "ringback.po"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_catalogue_keeps_what_is_still_said_and_loses_the_rest(tmp_path: Path) -> None:
    template = Catalog()
    for sentence in ("kept", "new", "keep"):
        template.add(sentence, locations=[("new.py", 7)])
    updated = messages.updated(catalogue(tmp_path, OLD), template)
    assert messages.written(updated).partition("\n\n")[2] == (
        '#: new.py\nmsgid "keep"\nmsgstr ""\n\n'
        '#: new.py\nmsgid "kept"\nmsgstr "behalten"\n\n'
        '#: new.py\nmsgid "new"\nmsgstr ""\n\n'
    )


def test_a_catalogue_says_how_its_plurals_are_counted(tmp_path: Path) -> None:
    text = messages.written(messages.updated(catalogue(tmp_path, OLD), Catalog()))
    assert '"Language: de\\n"' in text and '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"' in text


def test_writing_twice_changes_nothing(tmp_path: Path) -> None:
    path = catalogue(tmp_path, OLD)
    path.write_text(messages.written(messages.read(path)), encoding="utf-8")
    assert messages.written(messages.read(path)) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("translation", "is_one"), [("a", True), ("", False), (("a", "b"), True), (("a", ""), False), ((), False)]
)
def test_a_translation_has_all_its_forms(translation: str | tuple[str, ...], is_one: bool) -> None:
    message = Catalog().add("one", translation) if isinstance(translation, str) else None
    message = message or Catalog().add(("one", "many"), translation)
    assert messages.translated(message) is is_one
