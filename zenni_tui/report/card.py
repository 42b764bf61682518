"""The emergency card: one page of commands for both directions, to be typed by a person when this program is gone."""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from zenni_tui.files import write_private
from zenni_tui.model.application import Application, Which
from zenni_tui.model.events import TargetFacts
from zenni_tui.model.plan import Plan
from zenni_tui.model.record import Record

from . import by_hand

CARD = "emergency.md"
FORWARD, SHUT, BACK = "emergency-counters.sql", "emergency-shut.sql", "emergency-back.sql"


class Facts(Record, frozen=True):
    """What the card speaks of; `files` are settings files, each with its backup."""

    run_id: str
    folder: str
    source: str
    target: TargetFacts
    application: Application
    files: tuple[tuple[str, str], ...]


def write(facts: Facts, plan: Plan, samples: Mapping[str, by_hand.Samples], given: Mapping[str, int]) -> Path:
    """Write the card and its scripts into the run directory, private and without a secret; returns the card's place."""
    folder = Path(facts.folder)
    write_private(folder / FORWARD, by_hand.forward(plan, given).encode())
    write_private(folder / SHUT, by_hand.shut(plan).encode())
    write_private(folder / BACK, by_hand.back(plan, samples).encode())
    write_private(folder / CARD, text(facts).encode())
    return folder / CARD


def text(facts: Facts) -> str:
    """Return the card as Markdown; each block of commands is for a POSIX shell."""
    t = facts.target
    psql = f"psql -X -v ON_ERROR_STOP=1 -h {_q(t.host)} -p {t.port} -U {_q(t.user)} -d {_q(t.database)}"
    return "\n".join(
        [
            f"# Emergency card of {facts.run_id}",
            "",
            "For when zenni-tui itself is not to be had. While it is, use that: `zenni-tui status` says how it stands,",
            "`zenni-tui resume` goes on, `zenni-tui rollback` goes back. First end its engine: `zenni-tui stop`.",
            "",
            "The target's password is not here. psql takes it from PGPASSWORD or ~/.pgpass; it also stands in the",
            "application's settings once they name the new side, and where this program got it from.",
            "",
            "How it stands:",
            "",
            *_block(
                f"sqlite3 {_q(facts.source)} 'SELECT open FROM zenni_tui_gate'   # 0: no writes; an error: writes",
                f"{psql} -c 'SELECT run_id, live_since FROM zenni_tui.run'   # if set, the new side may write",
            ),
            *_old_again(facts),
            *_new(facts, psql),
            *_back(facts, psql),
        ]
    )


def _old_again(facts: Facts) -> Iterable[str]:
    yield "## 1. The new side was never started: the old side serves again"
    yield ""
    yield from _block(*_settings_back(facts), _open(facts), *_commands(facts, Which.OLD))


def _new(facts: Facts, psql: str) -> Iterable[str]:
    yield "## 2. The old side takes no writes, and the new one shall serve"
    yield ""
    yield "Only when `events.jsonl` says that `compare` is done: else the target lacks the last writes; take 1."
    yield "Without `live_since` nothing logs what the new side writes, and 3 can't bring it back."
    yield ""
    yield from _block(
        f"{psql} -f {_q(str(Path(facts.folder) / FORWARD))}", *_settings_new(facts), *_commands(facts, Which.NEW)
    )


def _back(facts: Facts, psql: str) -> Iterable[str]:
    folder = Path(facts.folder)
    script = _q(str(folder / "emergency-rows.sql"))
    yield "## 3. The new side has served: the old side serves again, with all that was written"
    yield ""
    yield "Values come in the forms that prevail in the old file; triggers of the application's own fire."
    yield ""
    yield from _block(
        f"{psql} -f {_q(str(folder / SHUT))}   # the new side takes no writes from here on",
        f"{psql} -At -f {_q(str(folder / BACK))} > {script}",
        f"sqlite3 -bail {_q(facts.source)} < {script}   # the old file takes writes from here on",
        *_settings_back(facts),
        *_commands(facts, Which.OLD),
    )


def _open(facts: Facts) -> str:
    return f"sqlite3 {_q(facts.source)} 'UPDATE zenni_tui_gate SET open = 1'   # no such table: it is open"


def _settings_back(facts: Facts) -> Iterable[str]:
    for file, backup in facts.files:
        yield f"[ ! -e {_q(backup)} ] || cat {_q(backup)} > {_q(file)}"


def _settings_new(facts: Facts) -> Iterable[str]:
    """Yield what adds settings at a file's end: of a name that stands twice, dotenv takes the last."""
    new = facts.application.new.settings
    for file, backup in facts.files:
        yield f"[ -e {_q(backup)} ] || (umask 077; cat {_q(file)} > {_q(backup)})"
    if new and facts.files:
        t = facts.target
        yield f'TARGET_URL="postgresql://{t.user}:${{PGPASSWORD}}@{t.host}:{t.port}/{t.database}"   # percent-encode it'
        values = " ".join(f'{_q(f"{name}=")}"{_shell(value)}"' for name, value in new.items())
        yield f"printf '%s\\n' {values} >> {_q(facts.files[0][0])}"


def _shell(value: str) -> str:
    """Return a setting's value for double quotes, its references left for the shell."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("`", "\\`")


def _commands(facts: Facts, which: Which) -> Iterable[str]:
    application = facts.application
    found = [application.command(name, which) for name in ("deploy", "restart")]
    environ = f"ZENNI_SIDE={which} ZENNI_EVENT=by_hand ZENNI_RUN_ID={_q(facts.run_id)}"
    for command in filter(None, found):
        yield f"(cd {_q(application.directory)} && {environ} {shlex.join(command)})"
    if not any(found):
        yield "# start the application anew, as you do"


def _block(*lines: str) -> list[str]:
    return ["```sh", *lines, "```", ""]


def _q(text: str) -> str:
    return shlex.quote(text)
