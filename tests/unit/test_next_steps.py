"""What those who see lines and no screen are told to do next."""

import tomllib

import msgspec

from zenni_tui import next_steps
from zenni_tui.model import events as e
from zenni_tui.model.findings import Finding, Repair, Severity
from zenni_tui.model.runbook import StepId, Verdict
from zenni_tui.model.state import RunState, replay
from zenni_tui.model.switching import Act

_WAYS = (
    Repair("type:text", lossless=True, text="let the column become text"),
    Repair("to_value:", lossless=False, text="put one other value in their place: to_value:TEXT"),
)
_OPEN = Finding("not_an_integer", Severity.ERROR, "", "", 'a "b"', "c", 1, (), _WAYS)
_CHOSEN = msgspec.structs.replace(_OPEN, column="d", chosen="type:text")


def test_what_blocks_is_answered_in_the_configs_own_words() -> None:
    """Every repair of what still blocks is a line that config.toml takes; what is chosen is not asked again."""
    told = next_steps.after(RunState(findings=(_OPEN, _CHOSEN)), Verdict.NOT_READY)
    lines = [tomllib.loads(f"[schema.repairs]\n{line}")["schema"]["repairs"] for line in told[2:]]
    assert told[1].strip() == "[schema.repairs]"
    assert lines == [
        {'not_an_integer/a "b"/c': "type:text"},
        {'not_an_integer/a "b"/c': "to_value:TEXT"},
    ]
    assert told[3].endswith("# changes data: put one other value in their place")


def test_a_migration_that_waits_names_both_ways_on() -> None:
    """Switch over, or take it back; what is over and passed needs nothing more."""
    (told,) = next_steps.after(RunState(), Verdict.WAITING)
    assert "zenni-tui switch --confirm SWITCH" in told
    assert "zenni-tui rollback" in told
    assert next_steps.after(RunState(), Verdict.PASSED) == []


def test_an_open_window_names_the_way_back_and_its_end() -> None:
    """Behind a switch nobody is told to switch."""
    words: list[e.AnyEvent] = [e.StepStarted(StepId.SWITCH)]
    for act in (Act.FREEZE, Act.GO_LIVE, Act.DEPLOY, Act.HEALTH, Act.SMOKE):
        words += [e.ActionStarted(StepId.SWITCH, act, ""), e.ActionDone(StepId.SWITCH, act, 0.1, "")]
    state = replay(e.Entry(number, float(number), what) for number, what in enumerate(words, 1))
    (told,) = next_steps.after(state, Verdict.WAITING)
    assert "zenni-tui rollback --confirm 'FALL BACK'" in told
    assert "zenni-tui finish --confirm FINISH" in told
    assert "switch --confirm" not in told
