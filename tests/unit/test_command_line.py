"""The command line itself: its help, completion in a shell, and terminals that can't show a screen."""

import subprocess
import sys
from pathlib import Path

import pytest

from zenni_tui import cli, commands


def test_bash_completes_the_verbs(tmp_path: Path) -> None:
    """The script that is printed works in a real bash, with the verbs that there are."""
    script = tmp_path / "completion.bash"
    with script.open("w") as stream:
        subprocess.run([sys.executable, "-m", "zenni_tui", "completion", "bash"], stdout=stream, check=True, timeout=60)
    ask = (
        f"source '{script}'; f=$(complete -p zenni-tui | grep -o '_shtab[a-z_]*'); COMP_CWORD=1;"
        ' COMP_WORDS=(zenni-tui re); COMP_LINE="zenni-tui re"; $f zenni-tui re zenni-tui; echo "${COMPREPLY[@]}"'
    )
    found = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True, timeout=60)
    assert set(found.stdout.split()) == {v for v in commands.VERBS if v and v.startswith("re")}


def test_every_verb_has_its_help_and_every_help_its_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    """No verb is secret, and none is promised that does nothing."""
    assert {v for v in commands.VERBS if v} == set(cli.VERBS)
    monkeypatch.setenv("COLUMNS", "80")
    text = cli.parser().format_help()
    for word in ("exit codes:", "environment:", "files:", "examples:", "NO_COLOR"):
        assert word in text
    assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize(("term", "screen"), [("xterm-256color", True), ("dumb", False), ("", False)])
def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch, term: str, *, screen: bool) -> None:
    """Where the cursor can't be placed there is no screen, whatever the standard streams are."""
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert cli.Options().screen is screen
