"""report.html: one page that opens from disk without a network, prints, and holds no secret."""

import re
import sqlite3
import stat
from pathlib import Path

import pages
from support import Program, copying, kill, slowly, wait

from zenni_tui.sandbox.sample import SampleApplication

NAMES = ("<script>alert(1)</script>", '"><img src="http://example.org/x">', "a|b`c")


def _hostile(path: Path) -> Path:
    with sqlite3.connect(path) as made:
        for name in NAMES:
            quoted = '"' + name.replace('"', '""') + '"'
            made.execute(f"CREATE TABLE {quoted} (id INTEGER PRIMARY KEY, {quoted} TEXT)")
            made.execute(f"INSERT INTO {quoted} VALUES (1, ?)", (f"nul \0 {name}",))
    return path


def test_every_run_leaves_one_private_page_that_needs_nothing_else(
    program: Program, sample: SampleApplication, target_environment: dict[str, str], database: dict[str, str]
) -> None:
    """A rehearsal's page has its steps, tables, findings, checks, the plan's tasks and three plots, and no password."""
    made = program.run("rehearse", "--source", str(sample.database), environment=target_environment)
    assert made.code == 0
    place = made.folder / "report.html"
    page = pages.read(place)
    assert page.wrong == []
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert page.tags.count("svg") == 3
    wanted = ["passed", "Steps", "Tables", "Findings", "Checks", "The plan's tasks", "The plan's risks"]
    wanted += [t["source"] for t in made.document["tables"]] + [c["found"] for c in made.step("reach")["checks"]]
    assert [w for w in wanted if w not in page.text] == []
    for name in ("report.html", "report.md", "result.json"):
        assert database["password"] not in (made.folder / name).read_text()


def test_names_and_values_from_the_source_never_become_part_of_the_page(program: Program) -> None:
    """Tables and columns whose names are HTML are text in the page, and its findings, and nothing is loaded."""
    made = program.run("rehearse", "--source", str(_hostile(program.home / "hostile.db")))
    assert made.code == 3
    page = pages.read(made.folder / "report.html")
    assert page.wrong == []
    assert all(page.text.count(name) >= 2 for name in NAMES)


def test_the_page_says_how_it_prints(program: Program, sample: SampleApplication) -> None:
    """`report --html` writes it anew and prints its path; on paper heads repeat, rows stay whole, nothing scrolls."""
    run = program.run("audit", "--source", str(sample.database))
    (run.folder / "report.html").unlink()
    process = program.start("report", "--html", "--run-dir", str(run.folder))
    out, _ = process.communicate(timeout=60)
    assert Path(out.strip()) == run.folder / "report.html"
    style = re.search(r"<style>(.*)</style>", Path(out.strip()).read_text(), re.DOTALL)
    assert style is not None
    assert "@page" in style[1]
    paper = style[1].partition("@media print")[2]
    assert "table-header-group" in paper
    assert "break-inside: avoid" in paper
    assert "overflow: " not in style[1]


def test_the_plans_dates_stand_in_the_report_that_a_run_writes(program: Program, sample: SampleApplication) -> None:
    """The run knows [timeline]'s first day and owners, as the verb does."""
    config = program.home / "dated.toml"
    config.write_text('[timeline]\nstart = 2031-03-04\n[timeline.owners]\nA = "Aino"\n')
    run = program.run("audit", "--source", str(sample.database), "--config", str(config))
    dated = [line for line in (run.folder / "report.md").read_text().splitlines() if "2031-03-04" in line]
    assert len(dated) == 1
    assert "Aino" in dated[0]


def test_a_report_is_made_of_a_run_whose_engine_was_killed(program: Program, make_big: str) -> None:
    """The journal of a run that has no last word makes a page that says so."""
    process = program.start("rehearse", "--source", make_big, "--headless")
    follower = slowly(program)
    wait(follower, copying)
    kill(follower)
    process.communicate(timeout=60)
    out, _ = program.start("report", "--html").communicate(timeout=60)
    page = pages.read(Path(out.strip()))
    assert page.wrong == []
    assert "not ended" in page.text
