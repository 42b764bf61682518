"""What a verification remembers of its reading, in a real run directory."""

import stat
from pathlib import Path

import msgspec

from zenni_tui.compare.digest import Digest, Part, Piece, SourceDigest
from zenni_tui.model.plan import Plan, Span, TablePlan
from zenni_tui.model.request import Request
from zenni_tui.model.runbook import RunKind, StepId
from zenni_tui.model.state import RunState, StepView
from zenni_tui.steps.run import Run
from zenni_tui.steps.verified import Verified, forget

PLAN = Plan("public", (TablePlan("a", "a", (), rows=3, spans=(Span(0, 2, None, 2), Span(1, 1, 2, None))),))
PIECES = {"a": (Piece(0, 4), Piece(4, 8), Piece(8))}
PART = Part(SourceDigest(Digest(2, "ff"), 1, 1), Digest(2, f"{2**260:x}"))


def run_in(folder: Path, copied: float = 1.0) -> Run:
    """Return a run whose copy began at a time."""
    state = RunState(steps=(StepView(StepId.COPY, started=copied),))
    return Run(Request("r", RunKind.REHEARSE, "source.db"), folder, lambda _: None, lambda: state)


def test_what_was_read_is_not_read_again(tmp_path: Path) -> None:
    """A second look at the file knows the parts and the pieces; the rest is still to be read."""
    first = Verified(run_in(tmp_path), PLAN)
    first.begin(PIECES)
    assert [job[1] for job in first.missing()] == [0, 1, 2]
    first.keep("a", 1, PART)
    second = Verified(run_in(tmp_path), PLAN)
    assert second.pieces == PIECES
    assert second.parts == {("a", 1): PART}
    assert list(second.missing()) == [
        ("a", 0, PLAN.tables[0].spans[0], Piece(0, 4)),
        ("a", 2, None, Piece(8)),
    ]
    assert stat.S_IMODE((tmp_path / "verified.jsonl").stat().st_mode) == 0o600


def test_a_torn_line_is_no_knowledge(tmp_path: Path) -> None:
    """A line that a death cut short is left out, and the next one does not join it."""
    first = Verified(run_in(tmp_path), PLAN)
    first.begin(PIECES)
    first.keep("a", 0, PART)
    path = tmp_path / "verified.jsonl"
    path.write_bytes(path.read_bytes() + b'{"table":"a","num')
    second = Verified(run_in(tmp_path), PLAN)
    second.begin(second.pieces)
    second.keep("a", 2, PART)
    assert set(Verified(run_in(tmp_path), PLAN).parts) == {("a", 0), ("a", 2)}


def test_figures_of_another_copy_or_plan_are_void(tmp_path: Path) -> None:
    """After another copy, under another plan, or when asked anew, everything is read again."""
    first = Verified(run_in(tmp_path), PLAN)
    first.begin(PIECES)
    first.keep("a", 0, PART)
    assert not Verified(run_in(tmp_path, copied=2.0), PLAN).parts
    assert not Verified(run_in(tmp_path), msgspec.structs.replace(PLAN, schema="other")).parts
    forget(run_in(tmp_path))
    assert not Verified(run_in(tmp_path), PLAN).parts


def test_the_parts_make_the_whole(tmp_path: Path) -> None:
    """A table's figures are those of its parts; a table of which nothing was read is there with none."""
    both = msgspec.structs.replace(PLAN, tables=(*PLAN.tables, TablePlan("b", "b", ())))
    known = Verified(run_in(tmp_path), both)
    known.begin({**PIECES, "b": (Piece(),)})
    known.keep("a", 0, PART)
    known.keep("a", 1, PART)
    assert known.tables() == {"a": PART + PART, "b": Part()}
