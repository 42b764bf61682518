"""Is my data safe, and what would a rollback do: the two answers at every stage of a run."""

import msgspec
import pytest
import ui_stories as stories
from ui_stories import UP_TO_COPY, UP_TO_PLAN, UP_TO_VERIFIED, at, told

from zenni_tui.model import events as e
from zenni_tui.model.runbook import Meanwhile, StepId, TableVerdict, Verdict
from zenni_tui.ui.safety import SENTENCE_CELLS, is_my_data_safe, proven_as_it_was, rollback_now, rollback_story
from zenni_tui.ui.words import Tone


def test_before_the_first_write_stopping_is_free() -> None:
    """Until prepare begins nothing is written, and the screen says so."""
    now = at(*told(UP_TO_PLAN), stories.gate())
    assert is_my_data_safe(now) == ("Source untouched, nothing written. Stopping is free.", Tone.GOOD)
    assert rollback_now(now) == "ends the run; nothing is written yet"
    assert "Nothing has been written" in rollback_story(now)


@pytest.mark.parametrize(("how", "word"), [(Meanwhile.FOLLOW, "armed"), (Meanwhile.REFUSE, "frozen")])
def test_a_source_with_something_of_ours_in_it_is_not_called_untouched(how: Meanwhile, word: str) -> None:
    """From arm on, and until it is undone, the screen says what was put into the source and how it comes out."""
    began = msgspec.structs.replace(stories.began(), meanwhile=how)
    for events in (told(UP_TO_PLAN), told(UP_TO_COPY), told(UP_TO_VERIFIED)):
        now = at(began, *events)
        assert f"Source {word}" in is_my_data_safe(now)[0]
        assert len(is_my_data_safe(now)[0]) <= SENTENCE_CELLS
        assert "taken out of it" in rollback_story(now)
        assert now.can_roll_back
    out = at(began, *told(UP_TO_PLAN), e.UndoStarted(StepId.ARM), e.UndoDone(StepId.ARM, 0.1, "gone"))
    assert "Source untouched" in is_my_data_safe(out)[0]


def test_during_the_copy_only_our_tables_change() -> None:
    """While rows arrive, the sentence tells what changes and that it can be undone."""
    now = at(*told(UP_TO_COPY))
    assert "Only this run's tables change" in is_my_data_safe(now)[0]
    assert rollback_now(now) == "takes out the 9 tables of this run"
    assert "copy, prepare" in rollback_story(now)
    assert "Lost: nothing" in rollback_story(now)


def test_a_dead_engine_is_never_called_running() -> None:
    """An engine that is gone is said, before and after the first write."""
    early, late = at(*told(UP_TO_PLAN), alive=False), at(*told(UP_TO_COPY), alive=False)
    assert is_my_data_safe(early)[0] == "Engine gone before anything was written. Source untouched."
    assert "Resume or roll back" in is_my_data_safe(late)[0]


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("9 objects dropped; target as it was: fingerprint of 12 objects is equal", True),
        ("9 tables removed", False),
        ("the fingerprint differs", False),
    ],
)
def test_as_it_was_is_said_only_when_the_undo_said_so(note: str, *, said: bool) -> None:
    """The fingerprint is claimed only on the undo's own word."""
    events = told(UP_TO_COPY)
    for step, summary in ((StepId.COPY, "emptied"), (StepId.PREPARE, note)):
        events += [e.UndoStarted(step), e.UndoDone(step, 0.1, summary)]
    now = at(*events, e.RunEnded(Verdict.ROLLED_BACK, 5, 9.0, 80.0), alive=False)
    assert proven_as_it_was(now) is said
    assert ("proven by its fingerprint" in is_my_data_safe(now)[0]) is said


def test_a_failed_undo_asks_for_care() -> None:
    """When something could not be taken back, nobody is told that all is well."""
    broke = e.Problem("no connection")
    undo = [e.UndoStarted(StepId.COPY), e.UndoDone(StepId.COPY, 0.1, ""), e.UndoStarted(StepId.PREPARE)]
    now = at(*told(UP_TO_COPY), *undo, e.UndoFailed(StepId.PREPARE, broke), e.RunEnded(Verdict.ERROR, 1, 9.0, 80.0))
    sentence, tone = is_my_data_safe(now)
    assert tone is Tone.BAD
    assert "not complete" in sentence


def test_a_difference_forbids_the_target() -> None:
    """A run that ended with a difference says not to use the target."""
    differs = e.TableCompared("Booking", 610_000, 610_000, 3, TableVerdict.DIFFERS, "3 rows")
    end = (differs, e.StepDone(StepId.VERIFY, 1.0, ""), e.RunEnded(Verdict.FAILED, 1, 9.0, 80.0))
    now = at(*told(UP_TO_VERIFIED), *end, alive=False)
    assert "do not use it" in is_my_data_safe(now)[0]


def test_every_sentence_fits_80_columns() -> None:
    """At each single event of whole runs, with the engine alive and dead, the sentence is short enough."""
    whole = [*told(UP_TO_VERIFIED), *stories.passed()]
    lost = [*told(UP_TO_COPY), *stories.lost()]
    for events in (whole, lost):
        for length in range(len(events) + 1):
            for alive in (True, False):
                assert len(is_my_data_safe(at(*events[:length], alive=alive))[0]) <= SENTENCE_CELLS
