"""A browser as far as the server can tell: it keeps cookies and sends back the token of the forms that it was shown."""

from __future__ import annotations

import html
import re
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import msgspec

from handlers.base import API
from tests.running import PASSWORD, Answer, Person, Running

_XSRF_FIELD = re.compile(r'name="_xsrf" value="([^"]+)"')


class Browser:
    """One browser; ``cookies`` by name."""

    def __init__(self, running: Running, cookies: dict[str, str] | None = None) -> None:
        self.running = running
        self.cookies = dict(cookies or {})

    @classmethod
    async def of(cls, person: Person) -> Browser:
        """The browser of somebody who is signed in, with a page open."""
        browser = cls(person.running, {"ringback_session": person.page_cookie()})
        await browser.get("/")
        return browser

    async def get(self, path: str) -> Answer:
        """Goes to a page; redirects are not followed."""
        return await self.fetch("GET", path)

    async def submit(self, path: str, *, origin: str | None = None, **fields: str) -> Answer:
        """Sends a form as it stands on the sign-in page, with its hidden token, or what ``fields`` say instead."""
        page = (await self.get("/login?next=/")).body.decode() if "ringback_session" not in self.cookies else ""
        found = _XSRF_FIELD.search(page)
        token = html.unescape(found[1]) if found else self.cookies.get("_xsrf", "")
        return await self.send_form(path, {"_xsrf": token, **fields}, origin=origin)

    async def sign_in(self, username: str, password: str = PASSWORD, **fields: str) -> Answer:
        """Fills in the sign-in page's form."""
        return await self.submit("/login", username=username, password=password, **fields)

    async def send_form(self, path: str, fields: dict[str, str], *, origin: str | None = None) -> Answer:
        """Sends exactly these fields."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if origin is not None:
            headers["Origin"] = origin
        return await self.fetch("POST", path, urlencode(fields), headers)

    async def api(self, method: str, path: str, document: object = None, *, xsrf: str | None = None) -> Answer:
        """What a script of the page asks for; ``xsrf`` in place of the real token, "" for none."""
        token = self.cookies.get("_xsrf", "") if xsrf is None else xsrf
        headers = {"Origin": self.running.origin} | ({"X-XSRFToken": token} if token else {})
        body = None
        if document is not None:
            body = msgspec.json.encode(document)
            headers["Content-Type"] = "application/json"
        return await self.fetch(method, API + path, body, headers)

    async def fetch(
        self, method: str, path: str, body: bytes | str | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Any request with this browser's cookies; it keeps those that come back."""
        sent = dict(headers or {})
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = await self.running.fetch(method, path, body, sent)
        for line in answer.headers.get_list("Set-Cookie"):
            for name, morsel in SimpleCookie(line).items():
                if morsel.value:
                    self.cookies[name] = morsel.value
                else:
                    self.cookies.pop(name, None)
        return answer
