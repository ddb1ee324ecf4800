"""The pages for people."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import msgspec

from handlers.base import API, PAGE_COOKIE, SAFE_METHODS, BaseHandler
from handlers.history import history_row
from server.auth.identity import Identity
from server.calls.ice import ice_servers, may_connect
from server.calls.model import view
from server.errors import InvalidCredentials, NotFound, RingbackError, TooManyAttempts, Unauthenticated, Unavailable
from server.languages.bidi import isolated
from server.people.home import home_of
from server.version import VERSION
from server.wire import encode

CALLS_LOOKED_AT = 30
"""Among these the home page looks for missed calls that nobody has seen; the history has them all."""
RECENT_SHOWN = 8


PROLONGED_AFTER_S = 86_400
"""A page's sign-in lives for days from its last use, which is noted once a day."""


class PageHandler(BaseHandler):
    """Renders templates; whoever must sign in first is led there and back."""

    page = ""

    def render_page(
        self,
        template: str,
        *,
        boot: dict[str, Any] | None = None,
        unread: dict[str, int] | None = None,
        **values: Any,
    ) -> None:
        """Renders ``template`` with what every page has; ``unread`` is what :meth:`unread` gives."""
        user = msgspec.structs.asdict(self.identity.user) if self.identity else None
        device = self.identity.device if self.identity else ""
        document = {"page": self.page, "user": user, "device": device, "api": API} | (boot or {})
        self.set_header("Cache-Control", "no-store")
        assert self.xsrf_token  # asking for it sets the cookie that scripts send back
        self.render(
            template,
            user=user,
            page=self.page,
            unread=unread or {},
            do_not_disturb=self.identity is not None and self.identity.do_not_disturb,
            boot=document,
            boot_json=script_safe(document),
            language=self.language,
            languages=self.services.languages.all,
            messages_json=script_safe(self.language.for_scripts),
            here=self.request.uri if self.request.method in SAFE_METHODS else self.request.path,
            version=VERSION,
            **values,
        )

    def get_template_namespace(self) -> dict[str, Any]:
        """Tornado's, with ``ngettext`` beside ``_``, and what keeps a name's direction to itself in plain text."""
        return super().get_template_namespace() | {"ngettext": self.locale.translate, "isolated": isolated}

    async def unread(self) -> dict[str, int]:
        """What is new for the signed-in person, as the navigation shows it."""
        user_id = self.who.user.id
        services = self.services
        missed, unheard, waiting = await asyncio.gather(
            services.histories.unread(user_id), services.mailboxes.unheard(user_id), services.tasks.waiting(user_id)
        )
        return {"missed": missed, "voicemail": unheard, "tasks": waiting}

    async def prepare(self) -> None:
        """As everywhere; and whoever comes again stays signed in."""
        await super().prepare()
        if self.identity is not None and self.request.method == "GET":
            await self._prolong(self.identity)

    async def _prolong(self, who: Identity) -> None:
        sign_ins = self.services.sign_ins
        claims = sign_ins.tokens.check("page", self.get_cookie(PAGE_COOKIE) or "")
        if self.services.clock.now().timestamp() - claims.issued_at_s >= PROLONGED_AFTER_S:
            await sign_ins.prolong(who.sign_in_id)
            self.set_page_cookie(sign_ins.tokens.issue("page", who.user.id, who.sign_in_id))

    async def _identify(self) -> None:
        """By cookie alone: an ``Authorization`` on a page is for a proxy in front of it."""
        await self._identify_by_cookie()

    def takes_forms(self) -> bool:
        """Every change on a page comes from a form."""
        return True

    def write_problem(self, error: RingbackError) -> None:
        """An error page; for somebody who is not signed in, the way there."""
        if isinstance(error, Unauthenticated) and self.request.method in ("GET", "HEAD"):
            self.redirect("/login?next=" + quote(self.request.uri or "/", safe=""))
            return
        self.page = "error"
        self.render_page(
            "error.html",
            status=error.status,
            title=self.locale.translate(error.title),
            detail=error.detail_in(self.locale.translate),
            request_id=self.request_id,
        )

    def set_page_cookie(self, token: str) -> None:
        """Lets the browser stay signed in. ``Secure`` where people come by https."""
        self.set_cookie(
            PAGE_COOKIE,
            token,
            expires_days=self.services.settings.auth.sign_in_ttl_days,
            httponly=True,
            samesite="Lax",
            secure=self.request.protocol == "https",
            path="/",
        )


class LoginPageHandler(PageHandler):
    """``/login``."""

    public = True
    page = "login"

    def get(self) -> None:
        """The form; for somebody who is signed in, the way on."""
        if self.identity is not None:
            self.redirect(own_path(self.get_query_argument("next", "/")))
            return
        self._form(None)

    async def post(self) -> None:
        """Signs in by name and password; a page's sign-in is a new one, whatever cookie came with it."""
        username = self.get_body_argument("username", "", strip=False)
        password = self.get_body_argument("password", "", strip=False)
        sign_ins = self.services.sign_ins
        try:
            user, sign_in = await sign_ins.sign_in(
                username.strip()[:64], password, self.device_label(), self.request.remote_ip or ""
            )
        except (InvalidCredentials, TooManyAttempts, Unavailable) as error:
            self.set_status(error.status)
            self.set_retry_after(error)
            self._form(error.detail_in(self.locale.translate), username.strip()[:64])
            return
        self.set_page_cookie(sign_ins.tokens.issue("page", user.user_id, sign_in.sign_in_id))
        self.clear_cookie("_xsrf")
        self.redirect(own_path(self.get_body_argument("next", "/")), status=303)

    def _form(self, error: str | None, username: str = "") -> None:
        password = self.services.demo_password
        demo = {"password": password, "people": list(DEMO_PEOPLE)} if password else None
        self.render_page(
            "login.html", error=error, username=username, next=own_path(self.get_argument("next", "/")), demo=demo
        )


class LogoutPageHandler(PageHandler):
    """``POST /logout``."""

    public = True

    async def post(self) -> None:
        """Ends this sign-in; its sockets close with 4506."""
        if self.identity is not None:
            await self.services.sign_ins.end(self.identity.sign_in_id, "signed out")
        self.clear_cookie(PAGE_COOKIE)
        self.clear_cookie("_xsrf")
        self.redirect("/login", status=303)


class HomePageHandler(PageHandler):
    """``/``: who can I call now, and what became of my calls."""

    page = "home"

    async def get(self) -> None:
        """Everybody in their places, and the newest calls."""
        user_id = self.who.user.id
        services = self.services
        home, recent, unread, tasks = await asyncio.gather(
            home_of(user_id, services.contacts, services.users),
            services.histories.page(user_id, limit=CALLS_LOOKED_AT),
            self.unread(),
            services.tasks.open_of(user_id),
        )
        rows = [history_row(entry, user_id, self.locale.translate) for entry in recent.entries]
        self.render_page(
            "home.html",
            boot={
                "people": home.everybody,
                "tasks": [services.tasks.brief(task, self.locale.translate) for task in tasks],
            },
            home=home,
            missed=[row for row in rows if row["unread"]],
            recent=[row for row in rows if not row["unread"]][:RECENT_SHOWN],
            unread=unread,
        )


class CallPageHandler(PageHandler):
    """``/call/<id>``."""

    page = "call"

    async def get(self, call_id: str) -> None:
        """The call, running or over, for whoever is in it."""
        call = await self.services.switchboard.of(call_id, self.who.user.id)
        leg = call.leg_of(self.who.user.id)
        assert leg is not None
        shown = msgspec.to_builtins(view(call, leg.user.id))
        roadmap = await self.services.roadmaps.of_call(call_id, leg.user.id) if call.is_over else None
        made_by = None if roadmap or not call.is_over else await self._roadmap_task(call_id)
        ice = self.services.settings.ice
        self.render_page(
            "call.html",
            boot={
                "call": shown,
                "leg_id": leg.leg_id,
                "ice": ice_servers(ice, leg.user.id, self.services.clock) if may_connect(call, leg.user.id) else None,
                "recording": self.services.archive.terms(),
                "voicemail": await self.services.mailboxes.terms(call, self.who.user.id),
                "roadmap": roadmap and roadmap.roadmap_id,
                "roadmap_task": made_by,
                "transcript": leg.took_part and await self.services.transcripts.count(call_id) > 0,
            },
            call=shown,
            leg_id=leg.leg_id,
            max_chat_characters=self.services.settings.sockets.max_chat_characters,
            max_question_characters=self.services.settings.dialogues.max_message_characters,
        )

    async def _roadmap_task(self, call_id: str) -> str | None:
        """The id of the person's task that makes the roadmap of this call."""
        tasks = await self.services.tasks.open_of(self.who.user.id)
        of_call = (task for task in tasks if task.kind == "call_roadmap" and task.params["call_id"] == call_id)
        return next((task.task_id for task in of_call), None)


class NoSuchPageHandler(PageHandler):
    """Any other address."""

    public = True

    async def prepare(self) -> None:
        """404, also for a method that nothing here takes."""
        await super().prepare()
        raise NotFound()


DEMO_PEOPLE = ("alice", "bob", "carol")


def script_safe(document: Any) -> str:
    """``document`` as JSON that can stand inside a ``script`` element: no character in it ends or opens anything."""
    text = encode(document).decode()
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def own_path(wanted: str) -> str:
    """``wanted`` if it is a path on this server, else ``/``: nobody is sent elsewhere by a link to the sign-in page."""
    # A browser takes «\\» for «/», and skips tabs and line breaks.
    is_path = wanted.startswith("/") and wanted[1:2] not in ("/", "@") and "\\" not in wanted
    return wanted if is_path and wanted.isprintable() else "/"
