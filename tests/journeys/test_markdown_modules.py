"""Markdown as elements: what it becomes, and what nothing in it ever becomes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.journeys.test_modules import Run, files, page, run

__all__ = ["files", "page", "run"]

pytestmark = pytest.mark.journey

MARKDOWN = """
  const { GrowingMarkdown, markdown } = await import("/js/ui/markdown.js");
  const html = (text, options) => {
    const root = document.createElement("div");
    root.append(markdown(text, options));
    return root.innerHTML;
  };
"""


def html(run: Run, text: str) -> Any:
    """What ``text`` becomes, as HTML."""
    return run(f"{MARKDOWN} return html({json.dumps(text)});")


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("one *two* **three** `four`", "<p>one <em>two</em> <strong>three</strong> <code>four</code></p>"),
        ("# Title\n\n## Part", "<h3>Title</h3><h4>Part</h4>"),
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("3. c", '<ol start="3"><li>c</li></ol>'),
        ("> said", "<blockquote><p>said</p></blockquote>"),
        ("```sh\nls | <b>\n```", '<pre tabindex="0"><code>ls | &lt;b&gt;</code></pre>'),
        ("two  \nlines", "<p>two<br>lines</p>"),
        ("one\nline", "<p>one line</p>"),
        ("一行\n文字", "<p>一行文字</p>"),
    ],
    ids=["marks", "headings", "list", "numbered", "quotation", "code", "break", "soft break", "Chinese soft break"],
)
def test_markdown_becomes_elements(run: Run, text: str, becomes: str) -> None:
    assert html(run, text) == becomes


def test_a_table_keeps_its_sides_and_scrolls_by_itself(run: Run) -> None:
    made = html(run, "| a | b |\n|---|--:|\n| 1 | 2 |")
    assert made.startswith('<div class="markdown-wide" tabindex="0"><table>')
    assert '<td data-align="right">2</td>' in made


def test_a_link_leads_to_the_web_and_tells_it_nothing(run: Run) -> None:
    link = '<a href="https://a.example/x" target="_blank" rel="noopener noreferrer">'
    assert html(run, "[go](https://a.example/x)") == f"<p>{link}go</a></p>"
    assert html(run, "see https://a.example/x.") == f"<p>see {link}https://a.example/x</a>.</p>"


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "&#106;avascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "//evil.example",
        "captions.md",
        "https://good.example@evil.example",
    ],
)
def test_a_link_elsewhere_is_its_words(run: Run, address: str) -> None:
    assert html(run, f"[words]({address})") == "<p>words</p>"


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "a <b onclick=alert(1)>b</b>",
        "<svg/onload=alert(1)>\n\n<iframe src=https://a.example>",
        "![words](https://a.example/x.png)",
        '[x]: javascript:alert(1)\n[x] <https://a.example/"onmouseover=alert(1)>',
        "`<img src=x>`\n\n    <img src=x>",
    ],
    ids=["script", "handler", "inline", "block", "picture", "reference", "code"],
)
def test_html_and_pictures_stay_text(run: Run, text: str) -> None:
    body = f"""
      {MARKDOWN}
      const whole = markdown({json.dumps(text)});
      const made = [...whole.querySelectorAll("*")];
      const allowed = new Set(["href", "target", "rel", "tabindex", "start"]);
      return [
        made.filter((each) => /^(script|img|svg|iframe|b|style|object)$/i.test(each.tagName)).length,
        made.flatMap((each) => [...each.attributes]).filter(({{ name }}) => !allowed.has(name)).length,
      ];
    """
    assert run(body) == [0, 0]


def test_a_picture_is_told_by_its_words(run: Run) -> None:
    assert html(run, "![a lamp](https://a.example/x.png)") == "<p>a lamp</p>"


def test_nothing_nests_deeper_than_anybody_reads(run: Run) -> None:
    body = """
      const whole = markdown(">".repeat(5000) + " deep");
      let deep = 0;
      for (let each = whole.firstElementChild; each; each = each.firstElementChild) deep += 1;
      return deep < 40;
    """
    assert run(MARKDOWN + body)


def test_a_citation_becomes_what_the_page_makes_of_it(run: Run) -> None:
    body = """
      const cite = (n) => n === 1 ? Object.assign(document.createElement("sup"), { textContent: "one" }) : null;
      return html("so it is [1], not [2], and `[1]`", { cite });
    """
    assert run(MARKDOWN + body) == "<p>so it is <sup>one</sup>, not [2], and <code>[1]</code></p>"


def test_what_has_not_changed_stays_the_same_element_while_a_text_grows(run: Run) -> None:
    body = """
      const root = document.createElement("div");
      const growing = new GrowingMarkdown(root);
      growing.show("# One\\n\\nfirst\\n\\n- a");
      const [heading, paragraph, list] = root.children;
      growing.show("# One\\n\\nfirst\\n\\n- a\\n- b\\n\\nlast");
      return [root.children[0] === heading, root.children[1] === paragraph, root.children[2] === list, root.innerHTML];
    """
    whole = "<h3>One</h3><p>first</p><ul><li>a</li><li>b</li></ul><p>last</p>"
    assert run(MARKDOWN + body) == [True, True, False, whole]


def test_a_text_that_grew_letter_by_letter_looks_like_the_whole(run: Run) -> None:
    text = (
        "A *b* [c](https://a.example)\n\n1. d\n   - e\n\n> f\n\n```\ng\n```\n\nh\n===\n\n[i]\n\n[i]: https://b.example"
    )
    body = f"""
      const text = {json.dumps(text)};
      const root = document.createElement("div");
      const growing = new GrowingMarkdown(root);
      for (let end = 0; end <= text.length; end += 1) growing.show(text.slice(0, end));
      return root.innerHTML === html(text);
    """
    assert run(MARKDOWN + body)
