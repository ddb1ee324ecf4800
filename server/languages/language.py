"""One language: what it is called, and its translations."""

from __future__ import annotations

import io
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

import msgspec
from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from server.languages.sentences import Translate

SCRIPTS = "static/js/"
"""A message that is said anywhere below this folder goes with the pages, to be said by their scripts."""


class Language(msgspec.Struct, frozen=True):
    """A language that people can choose.

    ``code`` is as gettext writes it (``zh_Hans``), ``name`` what it calls itself; ``translations`` has its sentences.
    ``for_scripts`` holds what the scripts of pages say: the English sentence → the translated one, or its plural forms.
    """

    code: str
    name: str
    translations: NullTranslations
    for_scripts: dict[str, str | list[str]] = {}

    @property
    def tag(self) -> str:
        """The language as HTML and HTTP write it (BCP 47): ``zh-Hans``."""
        return self.code.replace("_", "-")

    @property
    def translate(self) -> Translate:
        """From an English sentence to the same in this language."""
        return self.translations.gettext


def english() -> Language:
    """The language that everything is written in."""
    return Language("en", "English", NullTranslations())


def read_language(path: Path, code: str) -> Language:
    """The language ``code`` with the translations in the catalogue ``path``.

    Raises ``OSError``, or ``ValueError`` for what is no catalogue or no language's code.
    """
    try:
        name = Locale.parse(code).languages.get(code, code)
    except LookupError as error:  # Babel's UnknownLocaleError is not one of ValueError
        raise ValueError(str(error)) from None
    return _compiled(code, name, path.read_bytes())


# 15 ms each; a process with several servers, as that of the tests, reads the same again and again.
@lru_cache(maxsize=8)
def _compiled(code: str, name: str, text: bytes) -> Language:
    catalogue = read_po(io.BytesIO(text), locale=code, abort_invalid=True)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Language(code, name, GNUTranslations(compiled), _for_scripts(catalogue))


def _for_scripts(catalogue: Catalog) -> dict[str, str | list[str]]:
    said = [message for message in catalogue if _by_scripts(message) and _is_translated(message)]
    return {_key(message): _form_or_forms(message) for message in said}


def _by_scripts(message: Message) -> bool:
    return any(name.startswith(SCRIPTS) for name, _ in message.locations)


def _is_translated(message: Message) -> bool:
    return bool(message.id) and all(_forms(message)) and not message.fuzzy


def _key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _forms(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or [""])


def _form_or_forms(message: Message) -> str | list[str]:
    return _forms(message)[0] if isinstance(message.id, str) else _forms(message)
