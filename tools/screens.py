"""Takes the pictures in docs/screens: `python -m tools.screens [FOLDER]`.

Every page, wide and on a phone, in each language, light and dark, of a server with example people. Needs a Chromium,
Pillow, and fonts for Chinese (Debian: fonts-noto-cjk).
"""

from __future__ import annotations

import asyncio
import io
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter
from playwright.async_api import Browser, BrowserContext, Page, Playwright, async_playwright

from tools.browser import ADVICE, find_browser
from tools.example_world import PEOPLE, Someone, World, example_world

FOLDER = Path(__file__).parents[1] / "docs" / "screens"
SIZES = {1280: 800, 390: 844}
SCHEMES = ("light", "dark")
BROWSER_LOCALES = {"en": "en-GB", "zh": "zh-CN"}
PAGES = {
    "login": "/login",
    "home": "/",
    "history": "/history",
    "voicemail": "/voicemail",
    "dialogues": "/dialogues",
    "books": "/books",
    "tasks": "/tasks",
    "settings": "/settings",
    "check": "/check",
}
SHOWN = (*PAGES, "task", "incoming", "call", "ended", "error")
COLOURS = 256
SETTLE_MS = 1_200
"""Sockets open, transitions end, letters are drawn."""
PICTURE_MS = 4_000
"""The camera of the other side is on show by then."""
CAMERAS = (("#20504c", "#e8b98f", "#cdbb9f"), ("#4a3a63", "#c98d6b", "#a9b6bd"))
"""What the two cameras see: the colour of clothes, skin and wall."""
FLAGS = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", "--no-sandbox", "--disable-gpu")


async def main(folder: Path) -> int:
    """Takes all of them; the exit code."""
    path = find_browser()
    if path is None:
        print(ADVICE, file=sys.stderr)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        for language in PEOPLE:
            with tempfile.TemporaryDirectory() as data:
                async with example_world(Path(data), language) as world:
                    await take_all(playwright, path, world, folder)
    (folder / "README.md").write_text(overview(folder), "utf-8")
    return 0


async def take_all(playwright: Playwright, chromium: str, world: World, folder: Path) -> None:
    """All pictures in one language."""
    me, caller, *_ = world.people
    async with camera_browser(playwright, chromium, 0) as mine, camera_browser(playwright, chromium, 1) as theirs:
        stranger = await context_of(mine, world)
        await take(await opened(stranger, "/login"), folder, "login", world.language)
        context = await context_of(mine, world, me)
        for name in (each for each in PAGES if each != "login"):
            await take(await opened(context, PAGES[name]), folder, name, world.language)
        (waiting,) = (await world.services.tasks.list_of(me.user.user_id, states=["waiting_review"])).tasks
        await take(await opened(context, f"/tasks/{waiting.task_id}"), folder, "task", world.language)
        await take(await opened(context, "/nothing/here"), folder, "error", world.language)
        await take_call(await context_of(theirs, world, caller), context, folder, world)


async def take_call(caller: BrowserContext, context: BrowserContext, folder: Path, world: World) -> None:
    """A call from somebody else: it rings, is answered, and ends."""
    mine, theirs = await opened(context, "/"), await opened(caller, "/")
    name = world.people[0].user.username
    await theirs.locator(f"[data-username={name}] [data-call=video]").first.click()
    await mine.locator("#incoming[open]").wait_for()
    await take(mine, folder, "incoming", world.language)
    await mine.locator("#incoming [data-answer]").first.click()
    await mine.wait_for_url(re.compile("/call/"))
    await mine.wait_for_timeout(PICTURE_MS)
    await take(mine, folder, "call", world.language)
    await mine.locator("#hang-up").click()
    await mine.locator("#call-again").wait_for()
    await take(mine, folder, "ended", world.language)


@asynccontextmanager
async def camera_browser(playwright: Playwright, chromium: str, number: int) -> AsyncIterator[Browser]:
    """A browser whose camera sees somebody."""
    with tempfile.NamedTemporaryFile(suffix=".mjpeg") as file:
        file.write(portrait(*CAMERAS[number]) * 2)
        file.flush()
        flags = [*FLAGS, f"--use-file-for-fake-video-capture={file.name}"]
        browser = await playwright.chromium.launch(executable_path=chromium, args=flags)
        yield browser
        await browser.close()


async def context_of(browser: Browser, world: World, someone: Someone | None = None) -> BrowserContext:
    """A browser of somebody who is signed in, or of a stranger."""
    context = await browser.new_context(
        base_url=world.origin, locale=BROWSER_LOCALES[world.language], permissions=["camera", "microphone"]
    )
    if someone is not None:
        await context.add_cookies([world.cookie(someone)])  # type: ignore[list-item]  # name, value and url
    return context


async def opened(context: BrowserContext, path: str) -> Page:
    """A page in its last state."""
    page = await context.new_page()
    await page.goto(path)
    await page.wait_for_timeout(SETTLE_MS)
    return page


async def take(page: Page, folder: Path, name: str, language: str) -> None:
    """The pictures of what ``page`` shows now, in each size and scheme."""
    for width, height in SIZES.items():
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of the two
            await page.set_viewport_size({"width": width, "height": height})
            await page.wait_for_timeout(SETTLE_MS // 3)
            path = folder / f"{name}-{width}-{language}-{scheme}.png"
            path.write_bytes(compressed(await page.screenshot()))
            print(f"{path.name}: {path.stat().st_size // 1000} kB", flush=True)


def compressed(png: bytes) -> bytes:
    """The picture with a palette instead of all colours: a third of the size."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    out = io.BytesIO()
    picture.quantize(COLOURS, kmeans=1, dither=Image.Dither.NONE).save(out, "png", optimize=True)
    return out.getvalue()


def portrait(clothes: str, skin: str, wall: str) -> bytes:
    """Somebody before a wall, drawn, as a JPEG of 1280 × 720."""
    picture = Image.new("RGB", (1280, 720), wall)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((900, -60, 1240, 420), fill="#fff6e4")  # a window, out of focus
    draw.ellipse((40, 300, 300, 900), fill="#5d7a5a")  # and a plant
    picture = picture.filter(ImageFilter.GaussianBlur(60))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((330, 540, 950, 1200), fill=clothes)
    draw.ellipse((470, 130, 810, 480), fill="#33241d")
    draw.rounded_rectangle((585, 440, 695, 610), 55, fill=skin)
    draw.ellipse((515, 210, 765, 530), fill=skin)
    draw.chord((495, 150, 785, 420), 192, 348, fill="#33241d")
    for eye in (585, 695):
        draw.ellipse((eye - 9, 350, eye + 9, 372), fill="#33241d")
    draw.arc((590, 380, 690, 460), 25, 155, fill="#8c4a3c", width=8)
    out = io.BytesIO()
    picture.filter(ImageFilter.GaussianBlur(2)).save(out, "jpeg", quality=88)
    return out.getvalue()


def overview(folder: Path) -> str:
    """docs/screens/README.md: all pictures that are there."""
    lines = ["# Every page", "", "Taken by `python -m tools.screens` of a server with example people."]
    for name in SHOWN:
        lines += ["", f"## {name.capitalize()}", ""]
        for language in PEOPLE:
            lines += table(folder, name, language)
    return "\n".join(lines) + "\n"


def table(folder: Path, name: str, language: str) -> Sequence[str]:
    """One row of pictures: wide and narrow, light and dark."""
    files = [f"{name}-{width}-{language}-{scheme}.png" for width in SIZES for scheme in SCHEMES]
    there = [file for file in files if (folder / file).is_file()]
    cells = [f'<img src="{file}" alt="{file[:-4]}" height="260">' for file in there]
    return [" ".join(cells), ""] if cells else []


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)))
