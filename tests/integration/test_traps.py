"""Every trap ends as was written down before: identical, or these findings, and identical once they are repaired."""

from pathlib import Path

import pytest
from traps.catalogue import GROUPS, LOSSLESS, everything
from traps.judge import brief, complain, matches
from traps.runs import Runs, Story
from traps.words import Group, Trap

from zenni_tui.sandbox.server import Server

FAMILIES = 50


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Runs:
    """Return the runs that all traps share; their databases go with the session's server."""
    return Runs(tmp_path_factory.mktemp("traps"), server)


def _passed(story: Story, trap: Trap) -> None:
    document = story.last.document
    assert (story.last.code, document["verdict"]) == (0, "passed"), _why(story, trap)
    mine = {t["source"]: t["verdict"] for t in document["tables"] if story.owners.get(t["source"]) == trap.name}
    assert set(mine.values()) <= {"identical", "excluded", "not_migrated"}, mine
    if not (trap.wants or trap.exclude):
        assert set(mine.values()) <= {"identical"}, mine


def _why(story: Story, trap: Trap) -> str:
    last = story.last
    problem = last.document.get("problem") or {}
    told = [brief(f) for f in story.findings(trap, last) if f["severity"] == "error" and not f.get("chosen")]
    return f"{last.document.get('verdict')} {problem}\n" + ("\n".join(told) or last.narration[-1500:])


@pytest.mark.parametrize(("group", "trap"), [pytest.param(g, t, id=t.name) for g, t in everything()])
def test_trap(runs: Runs, group: Group, trap: Trap) -> None:
    """The trap's findings are those written down, no more and no less, and what passes is what an outsider sees."""
    story = runs.of(group, trap)
    first = story.first
    assert first.document, first.narration[-1500:]
    complaint = complain(trap, story.findings(trap, first))
    assert not complaint, complaint
    if trap.blocks:
        assert (first.code, first.document["verdict"]) == (3, "not_ready"), _why(story, trap)
        assert story.empty_after_first
    assert first.code in (0, 3), _why(story, trap)
    assert story.untouched
    if all(w.choose for w in trap.wants if w.severity == "error"):
        _passed(story, trap)
        runs.look(story, trap)
    for want in trap.chosen:
        chosen = {f.get("chosen") for f in story.findings(trap, story.last) if matches(want, f)}
        assert chosen, f"{want.code} is not told any more once repaired"
        assert None not in chosen, f"nothing was chosen for {want.code}"


@pytest.mark.parametrize("group", GROUPS, ids=lambda g: g.name)
def test_nothing_else_is_found(runs: Runs, group: Group) -> None:
    """A file's findings are all about its traps' own tables, views and indexes."""
    story = runs._story(group)
    assert story.first.code in (0, 3), _why(story, group.traps[0])
    wild = any(w.table in ("*", None) for t in group.traps for w in t.wants)
    strays = [f for f in story.first.document.get("findings", ()) if f["table"] not in story.owners]
    assert wild or not [f for f in strays if f["severity"] != "info"], "\n".join(map(brief, strays))


@pytest.mark.parametrize("group", [g for g in GROUPS if g.blocks], ids=lambda g: g.name)
def test_repairs_are_counted(runs: Runs, group: Group) -> None:
    """The result counts the rows that repairs changed and those that were set aside."""
    story = runs._story(group)
    assert story.second is not None or not any(t.chosen for t in group.traps)
    if story.second is None or story.second.code != 0:
        pytest.fail(_why(story, group.traps[0])) if story.second else None
        return
    totals = story.second.document["totals"]
    wants = [w for t in group.traps for w in t.chosen if w.severity == "error"]
    aside = sum(w.count or 0 for w in wants if w.choose == "quarantine")
    changed = sum(w.count or 0 for w in wants if (w.choose or "").startswith(("to_", "strip_", "utf8_")))
    assert (totals["rows_quarantined"], totals["rows_repaired"]) == (aside, changed)


def test_lossless_repairs_are_accepted_at_once(runs: Runs) -> None:
    """With --accept-repairs each finding's first lossless repair is taken and said, and the file passes in one run."""
    story = runs._story(LOSSLESS)
    assert (story.first.code, story.first.document["verdict"]) == (0, "passed"), story.first.narration[-1500:]
    chosen = {f["chosen"] for f in story.first.document["findings"] if f["severity"] == "error"}
    assert chosen
    assert all(c and c.startswith(("type:", "rename:")) for c in chosen)


def test_lossy_repairs_are_never_accepted_by_themselves(runs: Runs) -> None:
    """With --accept-repairs a finding that only a change of data could mend still blocks."""
    lossy = next(t for _, t in everything() if t.name == "nul/strip")
    story = runs._story(Group("lossy", (lossy,), options=("--accept-repairs",)))
    assert story.first.code == 3
    assert story.first.document["findings"][0]["chosen"] is None
    assert story.empty_after_first


def test_there_are_enough_families(tmp_path: Path) -> None:
    """The traps are of many families, and no two share a name."""
    assert tmp_path.is_dir()
    names = [t.name for _, t in everything()]
    assert len(set(names)) == len(names)
    assert len({t.family for _, t in everything()}) >= FAMILIES
