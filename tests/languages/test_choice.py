"""Which language somebody gets."""

from __future__ import annotations

from collections.abc import Callable
from gettext import NullTranslations
from pathlib import Path

import pytest

from server.errors import BadRequest
from server.languages.choice import MAX_RANGES, Languages, accepted, read_languages
from server.languages.language import Language


def language(code: str) -> Language:
    return Language(code, code, NullTranslations())


OURS = Languages(language("zh_Hans"))
BOTH = Languages(language("zh_Hans"), language("zh_Hant"))


def code(found: Language | None) -> str | None:
    return found.code if found else None


@pytest.mark.parametrize(
    "tag", ["zh", "zh-CN", "zh-Hans", "zh-Hans-CN", "zh_SG", "ZH-cn", "zh_Hans", "zh-TW", "zh-Hant", "zh-Hant-HK"]
)
def test_every_kind_of_chinese_finds_the_one_there_is(tag: str) -> None:
    assert code(OURS.of(tag)) == "zh_Hans"


@pytest.mark.parametrize("tag", ["en", "en-US", "en_GB", "EN"])
def test_every_kind_of_english_finds_english(tag: str) -> None:
    assert code(OURS.of(tag)) == "en"


@pytest.mark.parametrize("tag", ["de", "zha", "yue", "z", "", "-", "*", "../zh", None])
def test_a_tag_of_no_language_here_finds_none(tag: str | None) -> None:
    assert OURS.of(tag) is None


@pytest.mark.parametrize(("tag", "found"), [("zh-Hant-TW", "zh_Hant"), ("zh-Hans", "zh_Hans"), ("zh", "zh_Hans")])
def test_of_two_scripts_the_one_that_is_named_is_found(tag: str, found: str) -> None:
    assert code(BOTH.of(tag)) == found


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh_Hans"),
        ("en-US,en;q=0.9,zh-CN;q=0.8", "en"),
        ("en;q=0.5, zh;q=0.8", "zh_Hans"),
        ("de, zh;q=0.1", "zh_Hans"),
        ("de, fr;q=0.9", "en"),
        ("zh-TW, en;q=0.5", "zh_Hans"),
        ("zh;q=0, en", "en"),
        ("zh;q=0", "en"),
        ("*, zh;q=0.9", "en"),
        ("de, *;q=0.5, zh;q=0.4", "en"),
        ("zh;q=high", "en"),
        ("zh;q=nan", "en"),
        ("zh; Q=0.9 ;other=1, en;q=0.1", "zh_Hans"),
        (",;,zh", "zh_Hans"),
        ("\x00", "en"),
    ],
)
def test_the_best_of_what_a_browser_asks_for(header: str, found: str) -> None:
    assert OURS.asked_for(header).code == found


def test_of_equal_weight_the_first_comes_first() -> None:
    assert accepted("b;q=0.5, a;q=0.5, c") == ["c", "b", "a"]


def test_a_header_without_end_is_not_read_to_its_end() -> None:
    assert OURS.asked_for("de," * MAX_RANGES + "zh").code == "en"


def test_a_choice_that_there_is_not_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadRequest, match="locale: one of en, zh-Hans"):
        OURS.chosen("de", "locale")


# --- Catalogues


Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Puts a catalogue of a language into a folder for them, which it returns."""

    def write_one(code: str, text: str) -> Path:
        path = tmp_path / code / "LC_MESSAGES" / "ringback.po"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return tmp_path

    return write_one


FRENCH = """
#: templates/login.html
msgid "Sign in"
msgstr "Se connecter"

#: static/js/strings.js
msgid "%(name)s is calling"
msgstr "%(name)s appelle"

#: static/js/pages/home.js templates/home.html
msgid "%(count)s call"
msgid_plural "%(count)s calls"
msgstr[0] "%(count)s appel"
msgstr[1] "%(count)s appels"

#: static/js/strings.js
msgid "Hide"
msgstr ""
"""


def test_a_catalogue_is_a_language(write: Write) -> None:
    english, french = read_languages(write("fr", FRENCH)).all
    assert (english.tag, french.tag, french.name) == ("en", "fr", "français")


def test_a_language_says_what_it_has_and_the_rest_in_english(write: Write) -> None:
    _, french = read_languages(write("fr", FRENCH)).all
    assert [french.translate(sentence) for sentence in ("Sign in", "Hide", "Show")] == ["Se connecter", "Hide", "Show"]


def test_a_language_knows_its_plurals(write: Write) -> None:
    _, french = read_languages(write("fr", FRENCH)).all
    forms = [french.translations.ngettext("%(count)s call", "%(count)s calls", count) for count in (0, 1, 2)]
    assert forms == ["%(count)s appel", "%(count)s appel", "%(count)s appels"]


def test_scripts_get_what_they_say_and_no_more(write: Write) -> None:
    _, french = read_languages(write("fr", FRENCH)).all
    assert french.for_scripts == {
        "%(name)s is calling": "%(name)s appelle",
        "%(count)s call": ["%(count)s appel", "%(count)s appels"],
    }


def test_a_guess_is_no_translation(write: Write) -> None:
    _, french = read_languages(write("fr", '#: static/js/a.js\n#, fuzzy\nmsgid "Hide"\nmsgstr "Montrer"\n')).all
    assert (french.translate("Hide"), french.for_scripts) == ("Hide", {})


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("fr", 'msgid "a'),
        ("fr", 'msgstr "b"\nnonsense'),
        ("xx_yy_zz", ""),
        ("fr", "\udcff"),
        ("fr", 'msgid ""\nmsgstr "Content-Type: text/plain; charset=klingon\\n"\n\nmsgid "a"\nmsgstr "b"\n'),
    ],
)
def test_a_catalogue_that_cannot_be_read_costs_only_that_language(
    write: Write, expect_error: Callable[[str], None], code: str, text: str
) -> None:
    expect_error("language_left_out")
    folder = write(code, "")
    (folder / code / "LC_MESSAGES" / "ringback.po").write_bytes(text.encode(errors="surrogateescape"))
    assert [each.code for each in read_languages(folder).all] == ["en"]


def test_without_catalogues_there_is_english(tmp_path: Path) -> None:
    assert [each.code for each in read_languages(tmp_path / "nowhere").all] == ["en"]
