"""Documents of targets that no test has: Supabase's poolers, and names that a shell would take apart."""

import dataclasses
import re
import shlex
from pathlib import Path

import msgspec
import pytest
from pages import Page
from psycopg.conninfo import conninfo_to_dict

from zenni_tui.model import events as e
from zenni_tui.model.application import Application, Side
from zenni_tui.model.backup import Backup
from zenni_tui.model.plan import ColumnPlan, Kind, Plan, TablePlan, TargetType
from zenni_tui.model.profiles import Profiles
from zenni_tui.model.request import Request
from zenni_tui.model.runbook import RunKind
from zenni_tui.model.schema import SourceColumn, SourceSchema, SourceTable
from zenni_tui.model.state import RunState
from zenni_tui.model.upkeep import Upkeep
from zenni_tui.report import documents
from zenni_tui.report.documents import Facts

HOSTILE = "it's `$(reboot)` \"; rm|<b>"
TABLE = TablePlan("T", "T", (ColumnPlan("a", "a", TargetType(Kind.TEXT)),), rows=3)
SCHEMA = SourceSchema((SourceTable("T", (SourceColumn("a", "TEXT"),)),))


def _facts(folder: Path, target: e.TargetFacts, upkeep: Upkeep | None = None, **request: object) -> Facts:
    orders = Request("r", RunKind.MIGRATE, str(folder / "app.db"), schema=target.schema, **request)  # type: ignore[arg-type]
    state = RunState("r", RunKind.MIGRATE, e.SourceFacts(orders.source), target)
    plan = Plan(target.schema, (TABLE,))
    return Facts(folder, state, orders, plan, SCHEMA, Profiles({}, {}), upkeep or Upkeep(), dumps=str(folder))


def _written(folder: Path, facts: Facts) -> dict[str, str]:
    into = folder / "documents"
    into.mkdir()
    page = Page((into / "documents.html").read_text()) if documents.write(into, facts) else None
    assert page is not None
    assert page.wrong == []
    return {f.name: f.read_text() for f in into.glob("*.md")}


def test_on_supabase_both_urls_are_told_apart(tmp_path: Path) -> None:
    """The application pools on 6543, migrations go directly; what transaction mode can't do is said."""
    target = e.TargetFacts(
        "aws-0-eu-north-1.pooler.supabase.com", 5432, "postgres", "public", "postgres.abcdefgh", "17.4"
    )
    text = _written(tmp_path, _facts(tmp_path, target, application_role="booker"))
    for name in ("connection.md", "pooling.md"):
        assert (
            "booker.abcdefgh:[PASSWORD]@aws-0-eu-north-1.pooler.supabase.com:6543/postgres?pgbouncer=true" in text[name]
        )
        assert "booker:[PASSWORD]@db.abcdefgh.supabase.co:5432/postgres" in text[name]
    assert "no prepared" in text["pooling.md"]
    assert 'ALTER ROLE "booker"' in text["pooling.md"]
    assert "PostgreSQL 17" in text["developers.md"]


def test_only_references_of_settings_are_shown(tmp_path: Path) -> None:
    """A value that is not made of references may be a secret: its name alone is told."""
    sides = Application(env_files=("/srv/app/.env",), new=Side({"DATABASE_URL": "${TARGET_URL}", "API_KEY": "hunter2"}))
    text = _written(tmp_path, _facts(tmp_path, e.TargetFacts("db", 5432, "app", "public", "app"), application=sides))
    assert "${TARGET_URL}" in text["connection.md"]
    assert "`API_KEY`" in text["connection.md"]
    assert "/srv/app/.env" in text["connection.md"]
    assert not any("hunter2" in words for words in text.values())


def _commands(text: dict[str, str]) -> dict[str, list[list[str]]]:
    """Return the commands of all documents, taken apart as a shell does, by program."""
    fenced = re.compile(r"^(`{3,})(?:sh|crontab)\n(.*?)\n\1$", re.DOTALL | re.MULTILINE)
    lines = [line for t in text.values() for _, block in fenced.findall(t) for line in block.splitlines()]
    found: dict[str, list[list[str]]] = {}
    for line in lines:
        if "$bin" not in line and not line.startswith(("npx", "python3", "echo", "bin=")):
            words = shlex.split(re.sub(r"^(\S+ ){5}(?=zenni-tui)", "", line))
            found.setdefault(words[0], []).append(words)
    return found


@pytest.mark.parametrize("name", [HOSTILE, "plain", "größe = db"])
def test_commands_keep_their_words_whatever_the_names(tmp_path: Path, name: str) -> None:
    """Each command, read as a shell reads it, names just the database, schema, role and file that are meant."""
    upkeep = Upkeep(Backup(keep=0), config=f"/etc/{name}.toml")
    text = _written(tmp_path, _facts(tmp_path, e.TargetFacts("db.example", 5433, name, name, name), upkeep))
    commands = _commands(text)
    where = {"host": "db.example", "port": "5433", "user": name}
    ((*_, pattern, _, dumped),) = commands["pg_dump"]
    doubled = name.replace('"', '""')
    assert pattern == f'--schema="{doubled}"'
    assert conninfo_to_dict(dumped) == where | {"dbname": name}
    assert commands["createdb"][0][-1] == f"{name}_restored"
    restored = next(w for w in commands["pg_restore"][0] if w.startswith("--dbname="))
    assert conninfo_to_dict(restored.removeprefix("--dbname=")) == where | {"dbname": f"{name}_restored"}
    assert all(conninfo_to_dict(w[1]) == where | {"dbname": name} for w in commands["psql"] if "-f" not in w)
    assert all(w[w.index("--config") + 1] == f"/etc/{name}.toml" for w in commands["zenni-tui"])
    assert len(commands["zenni-tui"]) >= 4
    assert "| kept | all" in text["backup.md"]


def test_a_run_without_a_target_still_makes_its_documents(tmp_path: Path) -> None:
    """A plan alone is documented: what isn't known is left open, nothing breaks."""
    facts = _facts(tmp_path, e.TargetFacts("", 5432, "", "public"))
    nowhere = dataclasses.replace(facts, state=msgspec.structs.replace(facts.state, target=None))
    assert "not looked for" in _written(tmp_path, nowhere)["pooling.md"]
