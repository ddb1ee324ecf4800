"""The pages on which people follow their long tasks: all of them, and one."""

from __future__ import annotations

import asyncio

from handlers.pages import PageHandler
from handlers.tasks import MAX_COMMENT_CHARACTERS
from server.tasks.model import event_view

SHOWN = 50
"""As many as the API gives at a time, beside those that are not over; the page asks for older ones."""


class TasksPageHandler(PageHandler):
    """``/tasks``."""

    page = "tasks"

    async def get(self) -> None:
        """What goes on, and what went on last; a script draws it as it draws what happens then."""
        tasks, user_id = self.services.tasks, self.who.user.id
        going_on, newest, unread = await asyncio.gather(
            tasks.open_of(user_id), tasks.list_of(user_id, limit=SHOWN), self.unread()
        )
        found = {task.task_id: task for task in [*newest.tasks, *going_on]}
        self.render_page(
            "tasks.html",
            boot={"tasks": [tasks.brief(task, self.locale.translate) for task in found.values()], "next": newest.next},
            unread=unread,
        )


class TaskPageHandler(PageHandler):
    """``/tasks/<id>``."""

    page = "tasks"

    async def get(self, task_id: str) -> None:
        """One task with all that has happened in it, for its owner; for everybody else there is none."""
        tasks = self.services.tasks
        task = await tasks.get(task_id, self.who.user.id)
        shown = tasks.view(task, self.locale.translate)
        events = [event_view(event) for event in await tasks.events(task_id) if event.number <= task.number]
        self.render_page(
            "task.html",
            boot={"task": shown | {"events": events}},
            unread=await self.unread(),
            task=shown,
            max_comment_characters=MAX_COMMENT_CHARACTERS,
        )
