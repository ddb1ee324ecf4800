"""The one table of paths. Each is registered once; the prefix stands in one place, :data:`handlers.base.API`."""

from __future__ import annotations

from typing import Any, NamedTuple

import tornado.web
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, PathMatches, Rule

from handlers import (
    auth,
    book_pages,
    books,
    calls,
    chat,
    check,
    contacts,
    devices,
    dialogue_pages,
    dialogues,
    exports,
    health,
    history,
    history_page,
    languages,
    pages,
    push,
    quality,
    recordings,
    roadmap_page,
    roadmaps,
    status,
    tasks,
    tasks_page,
    transcript,
    voicemail,
    voicemail_page,
)
from handlers.base import API
from handlers.settings_page import SettingsPageHandler
from handlers.sockets.call import CallSocketHandler
from handlers.sockets.dialogue import DialogueSocketHandler
from handlers.sockets.elsewhere import ElsewhereHandler
from handlers.sockets.task import TaskSocketHandler
from handlers.sockets.tasks import TasksSocketHandler
from handlers.sockets.user import UserSocketHandler
from handlers.static import ServiceWorkerHandler, StaticHandler
from server.paths import static_dir

ID = r"([0-9a-f-]{36})"
"""An id in a path; whether there is such a thing is the handler's question."""


class Route(NamedTuple):
    """One path: ``pattern`` is matched, ``shown`` is how documents write it."""

    shown: str
    pattern: str
    handler: type[tornado.web.RequestHandler]
    kind: str  # "page", "api" or "socket"


def _api(path: str, handler: type[tornado.web.RequestHandler], pattern: str | None = None) -> Route:
    return Route(API + path, API + (pattern or path), handler, "api")


ROUTES: tuple[Route, ...] = (
    Route("/", "/", pages.HomePageHandler, "page"),
    Route("/login", "/login", pages.LoginPageHandler, "page"),
    Route("/logout", "/logout", pages.LogoutPageHandler, "page"),
    Route("/language", "/language", languages.LanguagePageHandler, "page"),
    Route("/history", "/history", history_page.HistoryPageHandler, "page"),
    Route("/settings", "/settings", SettingsPageHandler, "page"),
    Route("/check", "/check", check.CheckPageHandler, "page"),
    Route("/call/{call_id}", f"/call/{ID}", pages.CallPageHandler, "page"),
    Route("/roadmaps/{roadmap_id}", f"/roadmaps/{ID}", roadmap_page.RoadmapPageHandler, "page"),
    Route("/tasks", "/tasks", tasks_page.TasksPageHandler, "page"),
    Route("/tasks/{task_id}", f"/tasks/{ID}", tasks_page.TaskPageHandler, "page"),
    Route("/voicemail", "/voicemail", voicemail_page.VoicemailPageHandler, "page"),
    Route("/books", "/books", book_pages.BooksPageHandler, "page"),
    Route("/books/{book_id}", f"/books/{ID}", book_pages.BookPageHandler, "page"),
    Route("/dialogues", "/dialogues", dialogue_pages.DialoguesPageHandler, "page"),
    Route("/dialogues/{session_id}", f"/dialogues/{ID}", dialogue_pages.DialoguePageHandler, "page"),
    _api("/auth/login", auth.LoginHandler),
    _api("/auth/refresh", auth.RefreshHandler),
    _api("/auth/ws-token", auth.WsTokenHandler),
    _api("/auth/logout", auth.LogoutHandler),
    _api("/auth/register", auth.RegisterHandler),
    _api("/users", auth.UsersHandler),
    _api("/users/me", auth.MeHandler),
    _api("/users/me/password", auth.PasswordHandler),
    _api("/devices", devices.DevicesHandler),
    _api("/devices/{sign_in_id}", devices.DeviceHandler, f"/devices/{ID}"),
    _api("/push/key", push.PushKeyHandler),
    _api("/push/subscriptions", push.SubscriptionsHandler),
    _api("/push/test", push.PushTestHandler),
    _api("/push/ringing", push.PushRingingHandler),
    _api("/push/decline", push.PushDeclineHandler),
    _api("/calls", calls.CallsHandler),
    _api("/calls/seen", history.SeenHandler),
    _api("/calls/{call_id}", calls.CallHandler, f"/calls/{ID}"),
    _api("/calls/{call_id}/{action}", calls.CallActionHandler, f"/calls/{ID}/(answer|decline|cancel|hangup|leave)"),
    _api("/calls/{call_id}/quality", quality.CallQualityHandler, f"/calls/{ID}/quality"),
    _api("/calls/{call_id}/chat", chat.CallChatHandler, f"/calls/{ID}/chat"),
    _api("/calls/{call_id}/invite", calls.InviteHandler, f"/calls/{ID}/invite"),
    _api("/calls/{call_id}/recordings", recordings.CallRecordingsHandler, f"/calls/{ID}/recordings"),
    _api(
        "/calls/{call_id}/recordings/{recording_id}",
        recordings.CallRecordingHandler,
        f"/calls/{ID}/recordings/{ID}",
    ),
    _api("/calls/{call_id}/transcript", transcript.TranscriptHandler, f"/calls/{ID}/transcript"),
    _api("/exports", exports.ExportsHandler),
    _api("/exports/{export_id}", exports.ExportHandler, f"/exports/{ID}"),
    _api("/exports/{export_id}/file", exports.ExportFileHandler, f"/exports/{ID}/file"),
    _api("/roadmaps", roadmaps.RoadmapsHandler),
    _api("/roadmaps/{roadmap_id}", roadmaps.RoadmapHandler, f"/roadmaps/{ID}"),
    _api("/roadmaps/{roadmap_id}/document", roadmaps.RoadmapDocumentHandler, f"/roadmaps/{ID}/document"),
    _api("/calls/{call_id}/voicemail", voicemail.LeaveVoicemailHandler, f"/calls/{ID}/voicemail"),
    _api("/voicemail", voicemail.VoicemailsHandler),
    _api("/voicemail/{voicemail_id}", voicemail.VoicemailHandler, f"/voicemail/{ID}"),
    _api("/voicemail/{voicemail_id}/audio", voicemail.VoicemailAudioHandler, f"/voicemail/{ID}/audio"),
    _api("/voicemail/{voicemail_id}/heard", voicemail.VoicemailHeardHandler, f"/voicemail/{ID}/heard"),
    _api("/books", books.BooksHandler),
    _api("/books/{book_id}", books.BookHandler, f"/books/{ID}"),
    _api("/books/{book_id}/chapters/{number}", books.ChapterHandler, rf"/books/{ID}/chapters/([1-9]\d{{0,3}})"),
    _api("/tasks", tasks.TasksHandler),
    _api("/tasks/{task_id}", tasks.TaskHandler, f"/tasks/{ID}"),
    _api("/tasks/{task_id}/cancel", tasks.TaskCancelHandler, f"/tasks/{ID}/cancel"),
    _api("/tasks/{task_id}/review", tasks.TaskReviewHandler, f"/tasks/{ID}/review"),
    _api("/tasks/{task_id}/events", tasks.TaskEventsHandler, f"/tasks/{ID}/events"),
    _api("/contacts", contacts.ContactsHandler),
    _api("/contacts/{user_id}", contacts.ContactHandler, f"/contacts/{ID}"),
    _api("/contacts/{user_id}/{action}", contacts.ContactAnswerHandler, f"/contacts/{ID}/(accept|decline)"),
    _api("/contacts/{user_id}/favourite", contacts.FavouriteHandler, f"/contacts/{ID}/favourite"),
    _api("/contacts/{user_id}/block", contacts.BlockHandler, f"/contacts/{ID}/block"),
    _api("/dialogues", dialogues.DialoguesHandler),
    _api("/dialogues/book/start", dialogues.StartDialogueHandler),
    _api("/dialogues/{session_id}", dialogues.DialogueHandler, f"/dialogues/{ID}"),
    _api("/ice-servers", calls.IceServersHandler),
    _api("/check/ice-servers", check.CheckIceServersHandler),
    _api("/check/bytes", check.CheckBytesHandler),
    _api("/health", health.HealthHandler),
    _api("/livez", health.LivezHandler),
    _api("/readyz", health.ReadyzHandler),
    _api("/metrics", health.MetricsHandler),
    _api("/ws/status", status.SocketStatusHandler),
    Route(f"{API}/ws/user", f"{API}/ws/user", UserSocketHandler, "socket"),
    Route(f"{API}/ws/call/{{call_id}}", f"{API}/ws/call/([^/]{{1,64}})", CallSocketHandler, "socket"),
    Route(f"{API}/ws/dialogue/{{session_id}}", f"{API}/ws/dialogue/([^/]{{1,64}})", DialogueSocketHandler, "socket"),
    Route(f"{API}/ws/task/{{task_id}}", f"{API}/ws/task/([^/]{{1,64}})", TaskSocketHandler, "socket"),
    Route(f"{API}/ws/tasks/{{user_id}}", f"{API}/ws/tasks/([^/]{{1,64}})", TasksSocketHandler, "socket"),
)


class IsUpgrade(Matcher):
    """Matches a request for a WebSocket, on whatever path."""

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """See :class:`tornado.routing.Matcher`."""
        return {} if request.headers.get("Upgrade", "").lower() == "websocket" else None


def rules(initial: dict[str, Any]) -> list[Rule]:
    """The routing rules of the application; ``initial`` is passed to each handler's ``initialize``."""

    def of(*kinds: str) -> list[Rule]:
        return [Rule(PathMatches(route.pattern), route.handler, initial) for route in ROUTES if route.kind in kinds]

    return [
        *of("socket"),
        # Before the rest: an upgrade on a page's or an API's path is a wrong address as well.
        Rule(IsUpgrade(), ElsewhereHandler, initial),
        *of("page", "api"),
        Rule(PathMatches("/service-worker.js"), ServiceWorkerHandler, {"path": str(static_dir())}),
        Rule(PathMatches("/static/(.*)"), StaticHandler, {"path": str(static_dir())}),
        Rule(PathMatches(API + "/.*"), health.NoSuchApiHandler, initial),
        Rule(PathMatches("/.*"), pages.NoSuchPageHandler, initial),
    ]
