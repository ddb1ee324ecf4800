"""Written dialogues over HTTP; what is said in them is said on their sockets."""

from __future__ import annotations

from typing import Annotated

import msgspec

from handlers.base import ApiHandler
from server.dialogues.model import dialogue_view


class StartDialogue(msgspec.Struct, forbid_unknown_fields=True):
    """A dialogue about a book."""

    book_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class StartDialogueHandler(ApiHandler):
    """``POST /dialogues/book/start``."""

    async def post(self) -> None:
        """201 with the dialogue; 404 for a book that the person may not read, 409 ``bad_state`` for one that is not
        ready."""
        dialogues = self.services.dialogues
        dialogue = await dialogues.start(self.read(StartDialogue).book_id, self.who.user.id)
        self.reply(dialogue_view(dialogue, dialogues.ws_url(dialogue)), 201)


class DialoguesHandler(ApiHandler):
    """``GET /dialogues``."""

    async def get(self) -> None:
        """200 with the person's dialogues, the one that was last written in first."""
        before = self.get_query_argument("before", None)
        page = await self.services.dialogues.page(self.who.user.id, limit=self.page_limit(), before=before)
        self.reply({"items": page.items, "next": page.next})


class DialogueHandler(ApiHandler):
    """``/dialogues/{session_id}``."""

    async def get(self, session_id: str) -> None:
        """200 with the dialogue and a page of its messages, the newest page first."""
        dialogues = self.services.dialogues
        limit, before = self.page_limit(), self.get_query_argument("before", None)
        dialogue = await dialogues.get(session_id, self.who.user.id)
        messages, following = await dialogues.messages(session_id, limit=limit, before=before)
        shown = dialogue_view(dialogue, dialogues.ws_url(dialogue))
        self.reply(shown | {"messages": messages, "next": following})

    async def delete(self, session_id: str) -> None:
        """204; its sockets close with 4508."""
        await self.services.dialogues.delete(session_id, self.who.user.id)
        self.no_content()
