"""What follows from a run's state: the step to look at, the bars, the words."""

from pathlib import Path

import pytest
import ui_stories as stories
from ui_stories import UP_TO_COPY, UP_TO_PLAN, UP_TO_VERIFIED, at, told

from zenni_tui.model import events as e
from zenni_tui.model.runbook import StepId, TableVerdict, Verdict
from zenni_tui.model.state import RunState, TableView
from zenni_tui.ui.screens.panel import check_lines
from zenni_tui.ui.situation import Pace, Ratchet, Situation, overall, problems, shown_step, state_word, verified
from zenni_tui.ui.words import UNICODE, width_of


def test_the_whole_is_a_hundred_percent_only_when_verified() -> None:
    """At no event before the verification's end does the whole reach 100 %; then it does."""
    events = told(UP_TO_VERIFIED)
    before = [overall(at(*events[:length]).state) for length in range(len(events))]
    assert max(before) < 1.0
    assert overall(at(*events).state) == 1.0


def test_the_whole_never_shrinks_on_the_way_forward() -> None:
    """From event to event of an undisturbed run, the whole only grows."""
    events = told(UP_TO_VERIFIED)
    seen = [overall(at(*events[:length]).state) for length in range(len(events) + 1)]
    assert seen == sorted(seen)


def test_a_difference_is_never_a_hundred_percent() -> None:
    """A finished verification with a difference does not fill the bar."""
    differs = e.TableCompared("Booking", 610_000, 610_000, 3, TableVerdict.DIFFERS)
    now = at(*told(UP_TO_VERIFIED), differs)
    assert not verified(now.state)
    assert overall(now.state) < 1.0


def test_the_step_to_look_at() -> None:
    """What works comes first; at a gate the plan to decide upon; after an end the report, or what failed."""
    assert shown_step(at(*told(UP_TO_COPY)).state) is StepId.COPY
    assert shown_step(at(*told(UP_TO_PLAN), stories.gate()).state) is StepId.PLAN
    assert shown_step(at(*told(UP_TO_COPY), *stories.lost()).state) is StepId.COPY
    assert shown_step(at(*told(UP_TO_VERIFIED), *stories.passed()).state) is StepId.REPORT
    assert shown_step(at(*told(UP_TO_COPY), e.UndoStarted(StepId.PREPARE)).state) is StepId.PREPARE
    assert shown_step(RunState()) is None


def test_words_for_the_state() -> None:
    """Each state has its word; a dead engine outweighs what it last said."""
    assert state_word(at(*told(UP_TO_COPY)))[0] == "RUNNING"
    assert state_word(at(*told(UP_TO_COPY), alive=False))[0] == "INTERRUPTED"
    assert state_word(at(*told(UP_TO_PLAN), stories.gate()))[0] == "WAITING FOR YOU"
    assert state_word(at(*told(UP_TO_COPY), e.UndoStarted(StepId.COPY)))[0] == "ROLLING BACK"
    assert state_word(at(e.RunEnded(Verdict.NOT_READY, 3, 1.0, 50.0)))[0] == "NOT READY"
    assert state_word(Situation(Path(), RunState(), alive=True, now=0.0))[0] == "STARTING"


def test_what_can_be_resumed() -> None:
    """A dead or failed run goes on; a living, passed or rolled back one doesn't."""
    assert at(*told(UP_TO_COPY), alive=False).can_resume
    assert at(*told(UP_TO_COPY), *stories.lost(), alive=False).can_resume
    assert not at(*told(UP_TO_COPY)).can_resume
    assert not at(*told(UP_TO_VERIFIED), *stories.passed(), alive=False).can_resume


def test_a_ratchet_never_goes_back() -> None:
    """A retried chunk lowers the count, not the bar; an undo begins anew."""
    ratchet = Ratchet()
    assert [ratchet.at("copy", value) for value in (0.2, 0.5, 0.1, 0.6)] == [0.2, 0.5, 0.5, 0.6]
    ratchet.forget()
    assert ratchet.at("copy", 0.1) == 0.1


def test_pace_is_that_of_late() -> None:
    """The speed is measured over the last seconds, and unknown at first."""
    pace = Pace(window=10.0)
    assert pace.at(0.0, 0) is None
    assert pace.at(10.0, 1_000) == pytest.approx(100.0)
    assert pace.at(20.0, 1_000) == pytest.approx(50.0)
    assert pace.at(40.0, 1_000) == pytest.approx(0.0)


def test_overcome_problems_are_not_told() -> None:
    """Only what went wrong since the engine last began is a problem, and each only once."""
    events = [stories.began(), *stories.lost(), stories.began()]
    entries = [e.Entry(n, float(n), what) for n, what in enumerate(events, 1)]
    assert problems(entries) == []
    assert problems(entries[:-1]) == [stories.LOST]


@pytest.mark.parametrize("width", [38, 40, 58, 100])
def test_checks_fit_and_lose_nothing(width: int) -> None:
    """A check's lines keep to the width and hold all its words."""
    check = e.CheckMade(StepId.REACH, "server certificate", ok=False, found="expired " * 12, advice="Renew it now.")
    lines = check_lines(check, width, UNICODE)
    text = " ".join(piece for line in lines for piece, _ in line)
    assert all(width_of(line) <= width for line in lines)
    assert text.count("expired") == 12
    assert "FAILED" in text
    assert "Renew" in text


def test_a_table_without_plan_is_shown_all_the_same() -> None:
    """Progress of a table the plan did not name makes a row instead of an error."""
    now = at(e.TableProgress(StepId.COPY, "Ghost", 5, 5))
    assert now.state.tables["Ghost"] == TableView("Ghost", "Ghost", 0, copied=5)
