"""Ringback in Chinese, as somebody meets it who reads no English."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
import tornado.web
from playwright.sync_api import Browser, Page, expect

from handlers.routes import ROUTES
from tests.journeys.browsing import PATIENCE_MS, Person
from tests.journeys.conftest import Demo

pytestmark = pytest.mark.journey

MakePerson = Callable[[str], Person]

# Everything that is or may come to be read: also what is hidden for now, and what scripts copy out of templates.
READ_ALL = """
() => {
  const found = [document.title];
  const told = ["aria-label", "aria-description", "title", "placeholder", "alt", "aria-roledescription"];
  // People, devices, time zones.
  const named = "bdi, [data-handle], .brand-name, [data-device] option, option[value*='/']"
  const skipped = `script, style, noscript, code, kbd, [lang=en], ${named}`;
  const read = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element instanceof HTMLTemplateElement) read(element.content);
      if (element.closest(skipped)) continue;
      for (const name of told) if (element.hasAttribute(name)) found.push(element.getAttribute(name));
      for (const node of element.childNodes) if (node.nodeType === Node.TEXT_NODE) found.push(node.data);
    }
  };
  read(document.documentElement);
  return found.map((text) => text.trim()).filter(Boolean);
}
"""
NOT_ENGLISH = re.compile(
    r"Ringback|JavaScript|https?\b\S*|@\w+|Alice|Bob|Carol|\b[A-Z]{1,2}\b|iPhone|iPad|Chrome|Linux|\bUTC\b"
    r"|Markdown|EPUB|PDF|\bzip\b",
    re.IGNORECASE,
)
"""What stands in Latin letters in Chinese, too: names of people, products, formats and time zones, addresses, keys,
initials."""


def english_on(page: Page) -> list[str]:
    """What the page says in Latin letters; what people have named, in sentences too, is left out."""
    named = [name for name in page.locator("bdi").all_text_contents() if name.strip()]

    def ours(text: str) -> str:
        for name in sorted(named, key=len, reverse=True):
            text = text.replace(name.strip(), "")
        return NOT_ENGLISH.sub("", text)

    return [text for text in page.evaluate(READ_ALL) if re.search("[A-Za-z]{2}", ours(text))]


@pytest.fixture
def reader(browser: Browser, demo: Demo) -> Iterator[MakePerson]:
    """Makes people whose browsers ask for Chinese."""
    people: list[Person] = []

    def make(username: str) -> Person:
        someone = Person(browser, demo.url, username, demo.password, locale="zh-CN")
        people.append(someone)
        page = someone.page
        page.goto("/login")
        page.fill("#username", username)
        page.fill("#password", demo.password)
        page.click("#sign-in")
        page.wait_for_url(re.compile(r"/$"))
        return someone

    yield make
    for someone in people:
        someone.close()
    assert [problem for someone in people for problem in someone.problems] == []


def shows(route: str) -> bool:
    """Whether there is something to read at a path: a page, and not only the target of a form."""
    handler = next(each.handler for each in ROUTES if each.shown == route)
    return "{" not in route and handler.get is not tornado.web.RequestHandler.get


@pytest.mark.parametrize("path", [each.shown for each in ROUTES if each.kind == "page" and shows(each.shown)])
def test_a_page_is_in_chinese(reader: MakePerson, path: str) -> None:
    alice = reader("alice")
    alice.page.goto(path)
    expect(alice.page.locator("html")).to_have_attribute("lang", "zh-Hans")
    alice.page.wait_for_load_state("networkidle")
    assert english_on(alice.page) == []


def test_signing_in_is_in_chinese(browser: Browser, demo: Demo) -> None:
    somebody = Person(browser, demo.url, "nobody", "wrong", locale="zh-CN")
    somebody.page.goto("/login")
    assert english_on(somebody.page) == []
    somebody.page.fill("#username", "nobody")
    somebody.page.fill("#password", "wrong")
    somebody.page.click("#sign-in")
    somebody.expect_text("用户名或密码不正确")
    assert english_on(somebody.page) == []
    somebody.close()


def test_a_page_that_there_is_not_is_explained_in_chinese(browser: Browser, demo: Demo) -> None:
    somebody = Person(browser, demo.url, "nobody", "", locale="zh-CN")
    somebody.page.goto("/nowhere")
    somebody.expect_text("这里什么都没有")
    assert english_on(somebody.page) == []
    somebody.close()


def test_a_language_is_chosen_on_the_sign_in_page(browser: Browser, demo: Demo) -> None:
    somebody = Person(browser, demo.url, "nobody", "")
    somebody.page.goto("/login")
    somebody.button("简体中文").click()
    somebody.expect_text("很高兴见到你")
    somebody.button("English").click()
    somebody.expect_text("Good to see you")
    somebody.close()


def test_a_call_is_in_chinese_on_both_sides_from_ringing_to_its_end(reader: MakePerson) -> None:
    alice, bob = reader("alice"), reader("bob")
    alice.button("呼叫 bob").click()
    alice.page.wait_for_url(re.compile("/call/"))
    alice.expect_text("对方响铃中…")
    bob.expect_text("视频来电")
    assert english_on(alice.page) + english_on(bob.page) == []

    bob.button("接听").click()
    bob.page.wait_for_url(re.compile("/call/"))
    alice.expect_media()
    alice.button("静音").click()
    expect(alice.button("取消静音")).to_be_visible(timeout=PATIENCE_MS)
    assert english_on(alice.page) + english_on(bob.page) == []

    bob.button("挂断").click()
    for someone in (alice, bob):
        someone.expect_text(re.compile("通话时长"))
        assert english_on(someone.page) == []
        someone.page.goto("/")
        someone.expect_text("今天")
        assert english_on(someone.page) == []


def test_a_call_that_is_declined_says_so_in_chinese(reader: MakePerson) -> None:
    alice, bob = reader("alice"), reader("bob")
    alice.button("呼叫 bob").click()
    bob.button("拒接").click()
    alice.expect_text("已拒接")
    assert english_on(alice.page) + english_on(bob.page) == []
