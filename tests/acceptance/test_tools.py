"""The wizard's tools, each on a real migration: what the verb of its name does, as a paper."""

import stat
from pathlib import Path

import psycopg
import pytest
from support import Outcome, Program, wait
from terminal import Terminal

from zenni_tui import cli
from zenni_tui.engine.client import Follower
from zenni_tui.errors import NotReady, Occupied
from zenni_tui.model.codes import CODES
from zenni_tui.model.runbook import Verdict
from zenni_tui.sandbox.sample import SampleApplication
from zenni_tui.ui.tools import Paper, Tool
from zenni_tui.verbs import starting


@pytest.fixture
def migrated(program: Program, sample: SampleApplication, target_environment: dict[str, str]) -> Outcome:
    """Return a migration of the sample that waits for its switch."""
    made = program.run("migrate", "--yes", "--source", str(sample.database), environment=target_environment)
    assert made.code == 0
    return made


@pytest.fixture
def tools(
    migrated: Outcome,
    program: Program,
    sample: SampleApplication,
    target_environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, Tool]:
    """Return what the wizard offers where the migration was made."""
    assert migrated.folder.is_dir()
    monkeypatch.chdir(program.home)
    monkeypatch.setenv("XDG_STATE_HOME", program.environment["XDG_STATE_HOME"])
    monkeypatch.setenv("ZENNI_TARGET_URL", target_environment["ZENNI_TARGET_URL"])
    options = cli.Options(source=str(sample.database))
    return {t.name: t for t in starting.Offer(cli.settings_of(options), options).tools}


def _done(tool: Tool, run: Path) -> Paper:
    paper = tool.does(run)
    assert paper is not None
    return paper


def test_each_tool_does_what_its_verb_does(tools: dict[str, Tool], migrated: Outcome, database: dict[str, str]) -> None:
    """Patch, documents, page, dump and drift are there after it, private, with the path that the paper names."""
    run = migrated.folder
    patch = _done(tools["updates"], run)
    assert (Path(patch.where) / "updates.patch").read_text().startswith("diff --git")
    assert "What is left to you" in patch.text
    assert f"git apply {patch.where}/updates.patch" in patch.next_step
    documents = _done(tools["documents"], run)
    assert "database.md" in documents.text
    assert (Path(documents.where) / "database.md").exists()
    report = _done(tools["report"], run)
    assert Path(report.where).read_text().startswith("<!DOCTYPE html>")
    assert migrated.document["run_id"] in report.text
    dump = _done(tools["backup"], run)
    assert stat.S_IMODE(Path(dump.where).stat().st_mode) == 0o600
    assert f"{sum(t['rows_target'] or 0 for t in migrated.document['tables']):,} rows" in dump.text
    drift = _done(tools["drift"], run)
    assert " 0 not as planned" in drift.text
    assert f"{database['host']}:{database['port']}" in drift.text
    assert "queries in" in _done(tools["queries"], run).text
    with pytest.raises(NotReady, match="measured anything"):
        tools["metrics"].does(run)
    assert "Nothing can go" in _done(tools["prune"], run).text
    assert all(code in _done(tools["codes"], run).text for code in CODES)


def test_what_starts_an_engine_does_so_once(
    tools: dict[str, Tool], migrated: Outcome, database: dict[str, str]
) -> None:
    """Comparing again is a run's own step; while its engine works no other is begun, and then it has passed."""
    follower = Follower(migrated.folder)
    follower.poll()
    before = follower.state.entries
    with psycopg.connect(**database) as holder:
        holder.execute('LOCK TABLE "Booking" IN ACCESS EXCLUSIVE MODE')
        assert tools["verify"].does(migrated.folder) is None
        with pytest.raises(Occupied):
            tools["repair"].does(migrated.folder)
    wait(follower, lambda f: f.state.entries > before and bool(f.state.ended) and not f.alive)
    assert follower.state.verdict in (Verdict.PASSED, Verdict.WAITING)


def test_the_patch_is_proposed_by_keys(program: Program, sample: SampleApplication) -> None:
    """From a run's screen: `a`, Enter, and the patch, where it lies and what comes next stand there."""
    planned = program.run("plan", "--source", str(sample.database))
    assert planned.code == 0
    terminal = Terminal(program, "--source", str(sample.database))
    try:
        terminal.wait("What to do", "tools", "Past runs")
        terminal.press("\x1b[B" * 5 + "\r")
        terminal.wait("as a patch", planned.folder.name)
        terminal.press("\r")
        terminal.wait("what changes for PostgreSQL", "git apply", "written to")
        assert (planned.folder / "updates" / "updates.patch").exists()
        terminal.press("\x1bq")
    finally:
        terminal.kill()
