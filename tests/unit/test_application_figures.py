"""The application's own figures: printed by a real command, served by a real server; what is no number is told."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from web import Page, serving

from zenni_tui.application import figures
from zenni_tui.errors import StepFailed

BODIES = {
    "/number": b"0.25",
    "/deep": b'{"http": {"rate": 0.5}}',
    "/word": b'{"http": {"rate": "much"}}',
    "/page": b"<p>",
}


def answer(path: str, _: bytes) -> Page:
    """Answer by path."""
    return Page(body=BODIES[path]) if path in BODIES else Page(503)


@pytest.fixture
def url() -> Iterator[str]:
    """Yield a server's URL."""
    with serving(answer) as url:
        yield url


def test_a_figure_is_served(url: str) -> None:
    """A bare number, or a field of an object, however deep."""
    assert figures.served(f"{url}/number", "rate", 5) == 0.25
    assert figures.served(f"{url}/deep", "http.rate", 5) == 0.5


@pytest.mark.parametrize(
    ("path", "why"),
    [("/word", "no number http.rate"), ("/page", "neither a number nor JSON"), ("/none", "it answers 503")],
)
def test_what_is_no_figure_is_told(url: str, path: str, why: str) -> None:
    """Text, a page, an error: each says what was wrong with it."""
    with pytest.raises(StepFailed) as caught:
        figures.served(f"{url}{path}", "http.rate", 5)
    assert why in caught.value.why


@pytest.mark.parametrize(("text", "rate"), [("warming up\n0.125", 0.125), ('{"http":\n {"rate": 3}}', 3.0)])
async def test_a_figure_is_printed(tmp_path: Path, text: str, rate: float) -> None:
    """The last line counts, or an object that takes all of them."""
    command = (sys.executable, "-c", f"print({text!r})")
    assert await figures.printed(command, "http.rate", tmp_path, 20) == rate


@pytest.mark.parametrize(
    ("code", "why"), [("raise SystemExit(3)", "ended with 3"), ("", "neither"), ("print('NaN')", "no number")]
)
async def test_a_command_that_prints_no_figure_is_told(tmp_path: Path, code: str, why: str) -> None:
    """A failure, silence, and what isn't finite are no error rate."""
    with pytest.raises(StepFailed) as caught:
        await figures.printed((sys.executable, "-c", code), "rate", tmp_path, 20)
    assert why in caught.value.why
