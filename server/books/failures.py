"""The registry of what can be wrong with a book: a stable code, and a sentence for whoever uploaded it."""

from __future__ import annotations

from server.languages.sentences import N_

FAILURES: dict[str, str] = {
    "unreadable": N_("The file is damaged, or not what it seems to be; it cannot be read"),
    "encrypted": N_("The book is locked by a password or copy protection; a copy without one can be read"),
    "no_text": N_("There is no text in this book; pages that are only pictures cannot be read"),
    "too_much_text": N_("There is more text in this book than Ringback takes"),
    "too_costly": N_("Reading this book takes more time or memory than a book may"),
    "interrupted": N_("Reading this book was broken off; it can be uploaded again"),
}


class Unreadable(Exception):
    """A book that cannot be read, and why: ``code`` is one of :data:`FAILURES`."""

    def __init__(self, code: str) -> None:
        assert code in FAILURES
        self.code = code
        super().__init__(code)  # what crosses from one process to another is made anew from this


def sentence_of(code: str) -> str:
    """The sentence for a code, also one that an earlier version stored and this one does not know."""
    return FAILURES.get(code, FAILURES["unreadable"])
