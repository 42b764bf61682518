"""Rehearses any SQLite files and compares each that passes from outside: `python -m traps.zoo FILE...` in `tests/`.

A file that is not ready is rehearsed once more with a repair chosen for every error, the first lossless one or else the
first of all; it must pass then, since all obstacles are to be named in one go, and hold what an outsider expects: a
value may differ only where a repair that changes data was chosen, and in no more rows than its finding counts.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo
from support import Outcome, Program

from traps import outside
from traps.runs import table
from zenni_tui.sandbox import server as sandbox

NOT_READY = 3


def _rehearse(program: Program, server: sandbox.Server, path: Path, name: str, choices: str = "") -> Outcome:
    (program.home / "config.toml").write_text(choices)
    environment = {"ZENNI_TARGET_URL": make_conninfo("", **server.conninfo(name))}
    return program.run("rehearse", "--source", str(path), "--keep", environment=environment)


def _choices(outcome: Outcome) -> str:
    repairs = {}
    for finding in (f for f in outcome.document["findings"] if f["severity"] == "error" and f["repairs"]):
        offered = min(finding["repairs"], key=lambda r: not r["lossless"])["id"]
        place = (finding["code"], finding["table"], finding["column"])
        repairs["/".join(p for p in place if p)] = f"{offered}0" if offered == "to_value:" else offered
    return table("schema.repairs", repairs) if repairs else ""


def _changed(outcome: Outcome) -> tuple[tuple[str, ...], dict[str, int], dict[str, int]]:
    """Return the columns left behind, the rows that repairs changed by column, and the rows kept out by table."""
    behind, changed, apart = [], Counter[str](), Counter[str]()
    for finding in outcome.document["findings"]:
        column, action = f"{finding['table']}.{finding['column']}", str(finding.get("chosen") or "").partition(":")[0]
        if action == "exclude" and finding["column"]:
            behind.append(column)
        elif action == "quarantine":
            apart[finding["table"]] += finding["count"]
        elif action.startswith(("to_", "strip_", "utf8_")):
            changed[column] += finding["count"]
    return tuple(behind), changed, apart


def _outside(server: sandbox.Server, outcome: Outcome, path: Path, name: str, folder: Path) -> list[str]:
    copy = folder / "reader.db"
    for end in ("", "-wal", "-journal"):
        copy.with_name(copy.name + end).unlink(missing_ok=True)
        beside = path.with_name(path.name + end)
        if beside.exists():
            shutil.copyfile(beside, copy.with_name(copy.name + end))
    compared = [t for t in outcome.document["tables"] if t["verdict"] == "identical"]
    behind, changed, apart = _changed(outcome)
    with psycopg.connect(**server.conninfo(name), autocommit=True) as target:
        found = []
        for table in compared:
            source = sqlite3.connect(copy)
            kept_out = min(apart.get(table["source"], 0), table["rows_source"] - table["rows_target"])
            found += outside.differences(source, target, table, behind, changed=changed, apart=kept_out)
            source.close()
    return found


def _say(path: Path, outcome: Outcome, seconds: float, found: list[str]) -> None:
    document = outcome.document
    source = document.get("source") or {}
    codes = Counter(f"{f['severity'][0].upper()}:{f['code']}" for f in document.get("findings", ()))
    listed = " ".join(f"{c}x{n}" for c, n in codes.most_common())
    size = f"{source.get('bytes', 0) / 1e6:.2f} MB"
    counts = f"{source.get('tables', '?')} tables {source.get('rows', '?')} rows"
    line = f"{path} | {size} | {counts} | {seconds:.1f} s | {outcome.code} {document.get('verdict')} | {listed}"
    print(line, flush=True)  # noqa: T201
    problem = document.get("problem") or {}
    for line in [problem.get("what", ""), problem.get("why", ""), *found]:
        if line and (outcome.code != 0 or line in found):
            print(f"    !! {line[:600]}", flush=True)  # noqa: T201


def _one(program: Program, server: sandbox.Server, path: Path, name: str) -> bool:
    started, choices, shown = time.monotonic(), "", path
    while True:
        outcome = _rehearse(program, server, path.absolute(), name, choices)
        found = _outside(server, outcome, path, name, program.home) if outcome.code == 0 else []
        _say(shown, outcome, time.monotonic() - started, found)
        if choices or outcome.code != NOT_READY or not (choices := _choices(outcome)):
            return not found and outcome.code == 0
        shown, started = Path("    repaired"), time.monotonic()


def main(paths: list[str]) -> int:
    """Rehearse each file into a database of its own; returns how many did not pass, not even when repaired."""
    bad = 0
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_STATE_HOME"] = home
        program = Program(Path(home))
        program.environment["XDG_STATE_HOME"] = home
        with sandbox.start("zoo") as server:
            for number, path in enumerate(map(Path, paths)):
                name = f"zoo_{number}"
                server.create_database(name)
                try:
                    bad += not _one(program, server, path, name)
                except (AssertionError, subprocess.TimeoutExpired) as error:
                    bad += 1
                    print(f"{path} !! {str(error)[-2000:]}", flush=True)  # noqa: T201
                server.drop_database(name)
        sandbox.remove("zoo")
    return bad


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
