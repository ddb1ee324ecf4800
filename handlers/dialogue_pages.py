"""The pages of dialogues: all of them, and one to write in."""

from __future__ import annotations

import asyncio

from handlers.pages import PageHandler
from server.books.model import HANDBOOK_ID, book_brief
from server.dialogues.model import dialogue_view
from server.languages.sentences import N_

DIALOGUES_SHOWN = 50
"""On the first page; a script brings as many at a time of the others."""

EXAMPLES = (
    N_("How do I ring two people at once?"),
    N_("Who can see what I write in a call?"),
    N_("What happens when my connection breaks?"),
)
"""What somebody who has just come might ask the handbook; it answers each."""


class DialoguesPageHandler(PageHandler):
    """``/dialogues``: asking something, and what was asked before."""

    page = "dialogues"

    async def get(self) -> None:
        """The books that can be asked, and the dialogues, the one that was last written in first."""
        user_id = self.who.user.id
        books, page, unread = await asyncio.gather(
            self.services.books.list_for(user_id),
            self.services.dialogues.page(user_id, limit=DIALOGUES_SHOWN, before=None),
            self.unread(),
        )
        self.render_page(
            "dialogues.html",
            boot={"dialogues": page.items, "next": page.next, "handbook_id": HANDBOOK_ID},
            unread=unread,
            books=[book_brief(book, self.locale.translate) for book in books if book.state == "ready"],
            examples=[self.locale.translate(example) for example in EXAMPLES],
            max_question_characters=self.services.settings.dialogues.max_message_characters,
        )


class DialoguePageHandler(PageHandler):
    """``/dialogues/<id>``."""

    page = "dialogues"

    async def get(self, session_id: str) -> None:
        """The page; what was written comes by the socket."""
        dialogues = self.services.dialogues
        dialogue = await dialogues.get(session_id, self.who.user.id)
        shown = dialogue_view(dialogue, dialogues.ws_url(dialogue))
        unread = await self.unread()
        is_handbook = dialogue.book_id == HANDBOOK_ID
        self.render_page(
            "dialogue.html",
            boot={"dialogue": shown},
            unread=unread,
            dialogue=shown,
            book_title=self.locale.translate(dialogue.book_title) if is_handbook else dialogue.book_title,
            examples=[self.locale.translate(example) for example in EXAMPLES] if is_handbook else [],
            max_question_characters=self.services.settings.dialogues.max_message_characters,
        )
