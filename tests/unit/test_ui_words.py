"""Figures, names and bars as they stand on the screen."""

import pytest
from rich.cells import cell_len

from zenni_tui.ui import words
from zenni_tui.ui.words import ASCII, UNICODE, Tone


def test_elide_keeps_the_width_and_marks_the_cut() -> None:
    """A cut text takes no more cells than it may, wide letters counted double, and shows that it was cut."""
    assert words.elide("bookings", 8) == "bookings"
    assert words.elide("bookings.db", 8) == "booking…"
    assert words.elide("/srv/data/bookings.db", 14, left=True) == "…a/bookings.db"
    assert cell_len(words.elide("予約テーブル一覧", 7)) <= 7
    assert words.elide("bookings.db", 8, ASCII) == "bookin.."


def test_control_characters_never_reach_the_terminal() -> None:
    """A table name with an escape sequence can't move the cursor or change colours."""
    assert "\x1b" not in words.clean("Us\x1b[31mer\n\x07")
    assert "\x1b" not in "".join(text for line in words.paragraph("a\x1b[2Jb", 20) for text, _ in line)


def test_paragraph_hangs_and_keeps_every_word() -> None:
    """Wrapped lines fit, hang below the head, and lose nothing."""
    text = "the target is compared with what it was before " + "x" * 40
    lines = words.paragraph(text, 20, head=("why  ", Tone.DIM))
    assert all(words.width_of(line) <= 20 for line in lines)
    assert lines[1][0][0] == " " * 5
    assert "".join(line[1][0] for line in lines).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("number", [0, 9, 999, 1_000, 9_949, 9_950, 12_400, 99_999, 998_999, 999_600, 5_000_000, 10**9])
def test_short_numbers_take_four_cells(number: int) -> None:
    """A short number never breaks a column of four cells."""
    assert len(words.short(number)) <= 4


@pytest.mark.parametrize("number", [0, 999, 1_000, 999_499, 427_000_000, 2_100_000_000])
def test_short_sizes_take_six_cells(number: int) -> None:
    """A short size never breaks a column of six cells."""
    assert len(words.short_size(number)) <= 6


def test_a_bar_is_full_only_when_proven() -> None:
    """All rows sent leave the last cell empty; the comparison fills it."""
    assert words.bar(1.0, 10, UNICODE, proven=False) == ("━" * 9, "─")
    assert words.bar(0.3, 10, ASCII, proven=True) == ("#" * 10, "")


def test_a_hundred_percent_is_written_for_the_whole_only() -> None:
    """Percentages round down."""
    assert words.percent(0.9999) == "99 %"
    assert words.percent(1.0) == "100 %"


def test_ascii_glyphs_are_ascii_and_as_many() -> None:
    """The plain set says all that the other set says."""
    assert all(sign.isascii() and sign for sign in vars(ASCII).values())
    assert len({ASCII.done, ASCII.running, ASCII.pending, ASCII.failed, ASCII.stopped, ASCII.undone}) == 6


def test_durations() -> None:
    """Durations are exact for short work and readable for long."""
    assert (words.clock(3_725), words.took(0.42), words.took(75)) == ("1:02:05", "0.4 s", "0:01:15")
    assert (words.ago(30), words.ago(7_300), words.ago(200_000)) == ("just now", "2 h ago", "2 d ago")
