"""Choosing a language, also before signing in."""

from __future__ import annotations

from handlers.base import LANGUAGE_COOKIE
from handlers.pages import PageHandler, own_path

COOKIE_DAYS = 400
"""As long as browsers keep a cookie at all (draft-ietf-httpbis-rfc6265bis §5.5)."""


class LanguagePageHandler(PageHandler):
    """``POST /language``."""

    public = True

    async def post(self) -> None:
        """Back to the page that it was chosen on. This browser remembers it; of somebody signed in, so does the
        account."""
        language = self.services.languages.chosen(self.get_body_argument("language", ""), "language")
        self.set_cookie(
            LANGUAGE_COOKIE,
            language.tag,
            expires_days=COOKIE_DAYS,
            httponly=True,
            samesite="Lax",
            secure=self.request.protocol == "https",
            path="/",
        )
        if self.identity is not None:
            await self.services.accounts.change_profile(self.who.user.id, locale=language.tag)
        self.redirect(own_path(self.get_body_argument("next", "/")), status=303)
