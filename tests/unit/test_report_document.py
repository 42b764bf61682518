"""Blocks as Markdown and as HTML: what a value holds never becomes part of the form."""

import pytest
from pages import Page

from zenni_tui.report.document import Bullets, Code, Heading, Mono, Paragraph, State, Strong, Table, markdown
from zenni_tui.report.markup import page

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></title></main></table><h1>",
    "&lt;b&gt; &amp; &#60;",
    "`a` ``b`` |c| \\|d\\| *e* __f__ [g](h)",
    "line\nline\r\nline",
    "nul \0 bell \a escape \x1b",
    "half a pair \ud800",
)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_stays_text_wherever_it_stands_in_a_page(value: str) -> None:
    """Heading, sentence, list, table, code: the page has the tags that we made, and the value can be read in it."""

    def made(words: str) -> Page:
        cells = ((words, Mono(words), Strong(words), (State("done"), words)),)
        blocks = (
            Heading(1, words),
            Paragraph((words, Mono(words))),
            Bullets((words,)),
            Table(("a", words, "c", "d"), cells),
            Code(words),
        )
        return Page(page(words, blocks).decode())

    hostile, tame = made(value), made("tame")
    assert hostile.tags == tame.tags
    assert hostile.wrong == []
    shown = "".join(chr(0x2400 + ord(c)) if ord(c) < 32 and c not in "\t\n" else c for c in value)
    assert hostile.text.count(shown.replace("\ud800", "\ufffd")) == tame.text.count("tame")


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_neither_ends_a_table_nor_begins_a_block_in_markdown(value: str) -> None:
    """A table's row stays one line of as many cells, and a fence is longer than any within."""
    made = markdown([Table(("a", "b"), ((value, Mono(value)),)), Code(value)])
    row = made.splitlines()[2]
    assert row.replace("\\\\", "").replace("\\|", "").count("|") == 3
    assert "<script>" not in row.split("|")[1].replace("\\<", "")
    fence = made.splitlines()[4]
    assert made.splitlines()[-1] == fence
    assert fence.strip("`") == ""


def test_words_that_markdown_would_take_for_form_are_escaped_and_others_are_left() -> None:
    """Names with underscores inside, paths and backslashes read as they are."""
    assert markdown([Paragraph("snake_case /a/b.c caf\\xe9 3 > 2")]) == "snake_case /a/b.c caf\\xe9 3 > 2\n"
    assert markdown([Paragraph("# *a* _b_")]) == "\\# \\*a\\* \\_b\\_\n"
    assert markdown([Paragraph(("run ", Mono("a`b"), " ", Strong("now")))]) == "run ``a`b`` **now**\n"
