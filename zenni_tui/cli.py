"""The verbs of the command line; what each does stands in its help."""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .manual import EPILOG

if TYPE_CHECKING:
    from .config import Settings

CONFIG = "config.toml"
"""The config file that is read without being named."""

VERBS: dict[str, str] = {
    "demo": "make a sample booking application and an embedded PostgreSQL, and open the wizard on them",
    "rehearse": "the whole migration from a snapshot, into an embedded PostgreSQL or --target, rolled back at the end",
    "check": "prerequisites only; nothing is written",
    "audit": "schema and data audit; nothing is written",
    "plan": "the plan: tables, types, order; --ddl prints the SQL",
    "migrate": "migration day, up to and including verification; then it waits for you",
    "verify": "compare the last run's target with its snapshot again",
    "switch": "the cut-over, which asks for --confirm SWITCH: the application goes over to PostgreSQL",
    "finish": "end the rollback window after a switch, which asks for --confirm FINISH",
    "rollback": "the way back from wherever the run is: undo, or after go-live the fall-back (--confirm 'FALL BACK')",
    "resume": "go on after a death or a stop, from the checkpoints",
    "watch": "the dashboard after go-live; --once looks once, for cron: exit 0 nothing raised, 1 something raised",
    "status": "how the live or last run stands",
    "attach": "watch the live run",
    "stop": "stop the live run at the next safe point",
    "pause": "pause the live run; no transaction stays open on the target",
    "unpause": "let a paused run go on",
    "throttle": "slow the live run's copy down, or give it other workers; without options: what holds now",
    "logs": "the live or last run's journal in lines",
    "backup": "a dump of the new database, restored elsewhere and compared before it counts",
    "documents": "what the team needs to know of the new database, written from its migration",
    "report": "the live or last run's report",
    "metrics": "the figures of [metrics] as the target has them now, beside those of before and right after the move",
    "queries": "the SQL in the application's code: what is SQLite's alone, the form to write, and what was proven",
    "runs": "all runs, newest first",
    "prune": "the snapshots of rehearsals that nothing needs any more; --yes deletes them",
    "tasks": "every task of the plan, from the first week to the last day, and how it stands",
    "sign": "sign a task off that a person must do",
    "completion": "print a script that completes verbs and options in bash, zsh or tcsh",
    "drill": "rehearsals into which something breaks, each with a score sheet; without a name: the list",
    "lessons": "PostgreSQL, Prisma, errors, watching, backups, pools: short pages and exercises that are checked",
    "updates": "the application's own changes for PostgreSQL, as a patch: Prisma, driver, migrations, dependencies",
    "explain": "what a finding's code means and what to do",
}


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    add = common.add_argument
    add("--config", metavar="FILE", help="settings (default: config.toml here, when there is one)")
    add("--source", metavar="FILE", help="the SQLite database")
    add("--target", metavar="URL", help="the PostgreSQL database, without a password in it")
    add("--run-dir", metavar="DIR", help="the run's directory")
    add("--headless", action="store_true", help="plain lines on standard error, no screen")
    add("--json", action="store_true", help="headless, and one JSON document on standard output")
    add("--events", action="store_true", help="headless, and events as JSON lines on standard output")
    add("--yes", action="store_true", help="answer what an operator would confirm")
    add("--confirm", metavar="WORD", help="the word that something without a way back, or unrehearsed, asks for")
    add("--meanwhile", metavar="WORD", help="writes after the snapshot: nothing (the default), follow, refuse")
    add("--keep", action="store_true", help="leave a rehearsal's result in the target")
    add("--accept-repairs", action="store_true", help="take the first lossless repair of each finding")
    add("--ascii", action="store_true", help="no characters beyond ASCII on the screen")
    return common


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    common = _common()
    main_parser = argparse.ArgumentParser(
        "zenni-tui",
        parents=[common],
        description="Moves a live SQLite application database to PostgreSQL.\nWithout a verb: the wizard.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EPILOG,
    )
    verbs = main_parser.add_subparsers(dest="verb", metavar="VERB", title="verbs")
    made = {verb: verbs.add_parser(verb, parents=[common], help=text, description=text) for verb, text in VERBS.items()}
    made["demo"].add_argument("--folder", metavar="DIR", help="where the demo lives (default: this program's state)")
    made["demo"].add_argument("--bookings", type=int, default=2000, metavar="N", help="size (default 2000)")
    made["demo"].add_argument("--seed", type=int, default=1, metavar="N", help="the same seed makes the same data")
    made["demo"].add_argument("--with", action="append", default=[], dest="trouble", metavar="TROUBLE",
                              help="plant trouble: drift, orphans, nul, badutf8, text-in-int")  # fmt: skip
    made["plan"].add_argument("--ddl", action="store_true", help="print the DDL on standard output")
    made["plan"].add_argument("--coverage", action="store_true", help="every line of the plan and what carries it")
    made["rehearse"].add_argument("--prove-backup", action="store_true",
                                  help="dump the result too, restore the dump elsewhere and compare")  # fmt: skip
    made["documents"].add_argument("--into", metavar="DIR", help="where to (default: in the run's directory)")
    made["backup"].add_argument("--into", metavar="FILE", help="where to (default: the folder of [backup])")
    made["backup"].add_argument("--check", metavar="FILE", dest="check_file", help="prove a dump that is there already")
    made["report"].add_argument("--html", action="store_true", help="write it as one page, and print where that is")
    made["tasks"].add_argument("--timeline", action="store_true", help="the phases with their days")
    made["tasks"].add_argument("--risks", action="store_true", help="the risks with what mitigates them")
    made["sign"].add_argument("task", metavar="TASK", help="such as A3")
    made["sign"].add_argument("--by", default="", metavar="NAME", help="who signs")
    made["sign"].add_argument("--note", default="", metavar="TEXT", help="what was done")
    made["sign"].add_argument("--undo", action="store_true", help="take a signature back")
    made["updates"].add_argument("--into", metavar="DIR", help="where the patch goes (default: in the run's directory)")
    made["updates"].add_argument("--branch", metavar="NAME", help="a commit on a new branch instead of a patch")
    made["queries"].add_argument(
        "--again", action="store_true", help="read the code again, and try its queries where a rehearsal was kept"
    )
    made["check"].add_argument("--rung", metavar="NAME", help="only one check of the target: name, tcp, tls, login ...")
    made["verify"].add_argument(
        "--against",
        choices=("snapshot", "live"),
        default="snapshot",
        help="live: days after the switch, which rows are as they were, and whether all rules stand",
    )
    made["verify"].add_argument(
        "--repair", action="store_true", help="first load again the rows that differed last time"
    )
    made["resume"].add_argument("--repair", action="append", default=[], dest="repairs", metavar="FINDING=REPAIR",
                                help="what values become that were written meanwhile and can't be carried")  # fmt: skip
    made["resume"].add_argument("--by", default="", metavar="NAME", help="who chose it (default: who types this)")
    made["watch"].add_argument("--test", action="store_true", help="send a test message by [notify], and end")
    made["watch"].add_argument("--once", action="store_true", help="look once, tell what is raised, and end")
    slow = made["throttle"].add_argument
    slow("--workers", type=int, metavar="N", help="worker processes")
    slow("--rows", type=int, metavar="N", help="rows a second, 0 for no limit")
    slow("--chunk", type=int, metavar="ROWS", help="rows of one transaction, 0 for as many as planned")
    slow("--mb", type=float, metavar="X", help="MB (of 10^6 bytes) a second sent to the target, 0 for no limit")
    for verb in ("switch", "finish", "rollback"):
        made[verb].add_argument("--by", default="", metavar="NAME", help="who decides on it (default: who types this)")
        made[verb].add_argument("--why", default="", metavar="TEXT", help="why; it is kept in the report")
    made["drill"].add_argument("name", nargs="?", default="", metavar="NAME", help="one drill; without: the list")
    made["lessons"].add_argument("name", nargs="?", default="", metavar="NAME", help="one lesson; without: the list")
    made["explain"].add_argument("code", metavar="CODE")
    made["completion"].add_argument("shell", choices=("bash", "zsh", "tcsh"))
    return main_parser


class Options(argparse.Namespace):
    """The command line, with every option's absence spelled out."""

    verb: str | None = None
    config: str | None = None
    source: str | None = None
    target: str | None = None
    run_dir: str | None = None
    headless: bool = False
    json: bool = False
    events: bool = False
    yes: bool = False
    confirm: str = ""
    why: str = ""
    rung: str = ""
    meanwhile: str = ""
    keep: bool = False
    accept_repairs: bool = False
    ascii: bool = False
    folder: str | None = None
    bookings: int = 2000
    seed: int = 1
    trouble: Sequence[str] = ()
    ddl: bool = False
    coverage: bool = False
    html: bool = False
    into: str = ""
    check_file: str = ""
    prove_backup: bool = False
    timeline: bool = False
    risks: bool = False
    task: str = ""
    by: str = ""
    note: str = ""
    undo: bool = False
    repair: bool = False
    repairs: Sequence[str] = ()
    code: str = ""
    shell: str = ""
    branch: str = ""
    once: bool = False
    test: bool = False
    against: str = "snapshot"
    again: bool = False
    name: str = ""
    workers: int | None = None
    rows: int | None = None
    mb: float | None = None
    chunk: int | None = None

    @property
    def screen(self) -> bool:
        """Return whether there is a terminal and nobody asked for lines."""
        lines = self.headless or self.json or self.events
        able = os.environ.get("TERM", "") not in ("", "dumb")
        return not lines and able and sys.stdin.isatty() and sys.stdout.isatty()


def config_of(options: Options) -> str | None:
    """Return the path of the configuration that holds for these options, None without any."""
    named = options.config or os.environ.get("ZENNI_CONFIG")
    return CONFIG if named is None and Path(CONFIG).exists() else named


def settings_of(options: Options) -> "Settings":
    """Return the settings that hold for these options."""
    from . import config as configuration  # noqa: PLC0415 - as in main

    path = config_of(options)
    config = configuration.load(Path(path)) if path else configuration.Config()
    return configuration.settle(config=config, source=options.source, target=options.target)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = parser().parse_args(arguments, namespace=Options())
    from . import commands, errors, headless  # noqa: PLC0415 - `--help` and usage errors need none of it

    try:
        return commands.VERBS[options.verb](options)
    except errors.ZenniError as error:
        return headless.refuse(error, as_json=options.json)
    except BrokenPipeError:
        # The reader went away; Python would complain at exit.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(errors.ExitCode.PASSED)
    except OSError as error:
        if error.filename is None:
            raise
        return headless.refuse(errors.unusable(error), as_json=options.json)
