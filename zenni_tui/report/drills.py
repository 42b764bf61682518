"""A drill's score sheet."""

import time

from zenni_tui.model.drills import Drill, Score


def sheet(drill: Drill, score: Score) -> str:
    """Return the score sheet as Markdown."""
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(score.at))
    lines = [
        f"# Drill {drill.name}: {'passed' if score.passed else 'not passed'}",
        "",
        f"{when}, {score.by}",
        "",
        f"Job: {drill.job}",
        "",
        "| what | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in facts(score)),
        "",
        "| seconds after the fault | command | worth |",
        "|---|---|---|",
        *(f"| {g.at:.1f} | {g.name} | {g.worth} |" for g in score.given),
    ]
    return "\n".join(lines) + "\n"


def facts(score: Score) -> tuple[tuple[str, str], ...]:
    """Return the figures of a score with their names."""
    return (
        ("why", score.why),
        ("noticed (first key) after", _after(score.noticed)),
        ("right command after", _after(score.right)),
        ("wrong commands", ", ".join(score.wrong) or "none"),
        ("outcome", f"{score.outcome}, {score.seconds:.0f} s after the fault"),
        ("data", f"{'safe' if score.safe else 'NOT SAFE'}: {score.found}"),
    )


def _after(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"
