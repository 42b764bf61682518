"""The proposal for projects of Prisma 5, 6 and 7: the very patch, that git takes it, and that it is whole.

`test_application_updates_golden` holds each project as it is, and the patch that was read and found right.
"""

import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from zenni_tui.application import packages, patch, prisma, prisma_baseline, prisma_plan, updates
from zenni_tui.errors import NotReady
from zenni_tui.model.plan import IndexPlan, Plan, parse_type

GOLDEN = Path(__file__).with_name("test_application_updates_golden")
SCHEMAS = {5: "prisma/schema.prisma", 6: "prisma/schema", 7: "prisma/schema.prisma"}
CASTS = {
    5: {"Visit.opens": "time(0)", "Treatment.price": "numeric(12,2)"},
    6: {"orders.note": "varchar(80)"},
    7: {"Room.facts": "jsonb"},
}
INDEXES = {
    5: (IndexPlan("Visit_at_idx", "Visit", ("at",)),),
    6: (IndexPlan("orders_made_at_idx", "orders", ("made_at",), descending=(True,)),),
    7: (),
}
VERSIONS = tuple(SCHEMAS)


def _project(version: int, folder: Path) -> Path:
    """Return a copy of a project, in a repository with one commit."""
    shutil.copytree(GOLDEN / str(version) / "before", folder)
    if (folder / "dotenv").exists():
        (folder / "dotenv").rename(folder / ".env")
    _git(folder, "init", "--quiet")
    _git(folder, "add", "--all", "--force")
    _git(folder, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "--message", "as it was")
    return folder


def _git(folder: Path, *command: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *command], check=True, capture_output=True, text=True)
    return done.stdout


def _plan(version: int, folder: Path) -> Plan:
    """Return the plan of a project with the decisions of its case."""
    plan = prisma_plan.target_plan(prisma.read_schema(folder / SCHEMAS[version]))
    kinds = {name: parse_type(word) for name, word in CASTS[version].items()}
    tables = tuple(
        msgspec.structs.replace(
            t,
            columns=tuple(msgspec.structs.replace(c, type=kinds.get(f"{t.name}.{c.name}", c.type)) for c in t.columns),
        )
        for t in plan.tables
    )
    return msgspec.structs.replace(plan, tables=tables, indexes=(*plan.indexes, *INDEXES[version]))


def _statements(script: str) -> list[str]:
    """Return the statements of a script, sorted: a new index stands elsewhere in a schema than in a plan."""
    return sorted(script.split("\n\n-- "))


def _proposed(version: int, folder: Path, plan: Plan) -> updates.Updates:
    return updates.propose(folder, folder / SCHEMAS[version], plan)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_patch_is_the_golden_one(version: int, tmp_path: Path) -> None:
    """For each version of Prisma the patch and what is left to a person are exactly what was reviewed."""
    folder = _project(version, tmp_path / "project")
    made = _proposed(version, folder, _plan(version, folder))
    assert made.version == version
    text = "".join(f"# {note}\n" for note in made.notes) + patch.patch(made.changes, made.moves)
    assert text.encode() == (GOLDEN / str(version) / "expected.patch").read_bytes()


@pytest.mark.parametrize("version", VERSIONS)
def test_git_takes_the_patch_in_a_fresh_clone(version: int, tmp_path: Path) -> None:
    """`git apply` takes it, in a subfolder too, and the clone then holds just the files that were proposed."""
    folder = _project(version, tmp_path / "whole" / "the shop")
    shutil.move(folder / ".git", folder.parent / ".git")
    _git(folder.parent, "add", "--all", "--force")
    _git(folder.parent, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "--message", "below")
    made = _proposed(version, folder, _plan(version, folder))
    (tmp_path / "updates.patch").write_bytes(patch.patch(made.changes, made.moves, "the shop/").encode())
    clone = tmp_path / "clone"
    _git(tmp_path, "clone", "--quiet", str(folder.parent), str(clone))
    _git(clone, "apply", "--check", str(tmp_path / "updates.patch"))
    _git(clone, "apply", str(tmp_path / "updates.patch"))
    for name, data in updates.files(made, folder):
        assert (clone / "the shop" / name).read_bytes() == data, name
    assert not any((clone / "the shop" / m.path).exists() for m in made.moves)
    assert not list((clone / "the shop").rglob("*.rej"))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_patched_project_asks_for_the_plan_and_for_nothing_more(version: int, tmp_path: Path) -> None:
    """Patched, the schema makes exactly the plan, the baseline is the plan's, and nothing is proposed again."""
    folder = _project(version, tmp_path / "project")
    plan = _plan(version, folder)
    made = _proposed(version, folder, plan)
    (tmp_path / "updates.patch").write_bytes(patch.patch(made.changes, made.moves).encode())
    _git(folder, "apply", str(tmp_path / "updates.patch"))
    wanted = prisma_plan.target_plan(prisma.read_schema(folder / SCHEMAS[version]))
    assert _statements(prisma_baseline.script(wanted)) == _statements(prisma_baseline.script(plan))
    baseline = folder / "prisma" / "migrations" / made.baseline / "migration.sql"
    assert prisma_baseline.checksum(baseline.read_text()) == made.checksum
    again = _proposed(version, folder, plan)
    assert (again.changes, again.moves, again.baseline, again.checksum) == ((), (), made.baseline, made.checksum)


def test_no_secret_is_read_or_written(tmp_path: Path) -> None:
    """The settings file is neither in the patch nor is a value of it."""
    folder = _project(5, tmp_path / "project")
    made = _proposed(5, folder, _plan(5, folder))
    text = patch.patch(made.changes, made.moves)
    assert "do-not-touch" not in text
    assert not any(c.path == ".env" for c in made.changes)


def test_a_plan_that_the_schema_has_no_words_for_is_told(tmp_path: Path) -> None:
    """What Prisma would see differently after the patch is said: tables without a model, indexes it can't express."""
    folder = _project(7, tmp_path / "project")
    plan = _plan(7, folder)
    (table,) = plan.tables
    other = msgspec.structs.replace(table, name="Legacy", source="Legacy")
    partial = IndexPlan("some", "Room", ("name",), where='"size" IS NOT NULL')
    plan = msgspec.structs.replace(plan, tables=(table, other), indexes=(*plan.indexes, partial))
    made = _proposed(7, folder, plan)
    assert any('The table "Legacy" has no model' in note for note in made.notes)
    assert any('The index "some" has no words' in note for note in made.notes)
    (baseline,) = (c for c in made.changes if c.path.endswith("_baseline/migration.sql"))
    assert 'CREATE TABLE "Legacy"' in baseline.after
    assert 'CREATE INDEX "some" ON "Room"("name") WHERE "size" IS NOT NULL;' in baseline.after


def test_a_schema_that_changed_since_the_plan_is_told(tmp_path: Path) -> None:
    """A field that the plan does not know is named, with its table."""
    folder = _project(7, tmp_path / "project")
    plan = _plan(7, folder)
    path = folder / SCHEMAS[7]
    path.write_text(path.read_text().replace("  extra Json?", "  extra Json?\n  newer String?"))
    made = _proposed(7, folder, plan)
    assert '"Room"."newer" is text in schema.prisma and not there in the plan.' in made.notes


def test_what_was_not_understood_is_told(tmp_path: Path) -> None:
    """Settings that are computed stay as they are, and a person is told what they must become."""
    folder = _project(7, tmp_path / "project")
    plan = _plan(7, folder)
    config = folder / "prisma.config.ts"
    config.write_text('import { made } from "./made";\nexport default made({ schema: "prisma/schema.prisma" });\n')
    made = _proposed(7, folder, plan)
    assert any("prisma.config.ts: its datasource was not understood" in note for note in made.notes)
    assert not any(c.path == "prisma.config.ts" for c in made.changes)
    (folder / SCHEMAS[7]).write_text((folder / SCHEMAS[7]).read_text().replace('"sqlite"', '"SQLITE"'))
    assert any("its provider must become postgresql" in note for note in _proposed(7, folder, plan).notes)


def test_a_project_without_settings_gets_them(tmp_path: Path) -> None:
    """Prisma 7 without a config gets one; without a lock file or a package.json the schema's URL tells the version."""
    folder = _project(7, tmp_path / "seven")
    plan = _plan(7, folder)
    (folder / "prisma.config.ts").unlink()
    (config,) = (c for c in _proposed(7, folder, plan).changes if c.path == "prisma.config.ts")
    assert (config.before, 'url: env("DIRECT_URL")' in config.after) == (None, True)
    assert 'schema: "prisma/schema.prisma"' in config.after
    (folder / "package.json").unlink()
    assert _proposed(7, folder, plan).version == 7
    older = _project(5, tmp_path / "five")
    for name in ("package.json", "package-lock.json"):
        (older / name).unlink()
    made = _proposed(5, older, _plan(5, older))
    assert made.version == 6
    assert any("taken for 6" in note for note in made.notes)


def test_an_archive_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    """Old migrations never go on top of others."""
    folder = _project(7, tmp_path / "project")
    (folder / "prisma" / "migrations.sqlite").mkdir()
    with pytest.raises(NotReady, match="archive"):
        _proposed(7, folder, _plan(7, folder))


LOCKS = {
    "package-lock.json": '{"packages": {"node_modules/@prisma/client": {"version": "6.2.1"}}}',
    "pnpm-lock.yaml": "packages:\n\n  /prisma@6.19.0:\n    resolution: {}\n",
    "yarn.lock": '"@prisma/client@^6.1.0":\n  version "6.4.0"\n',
    "bun.lock": '{\n  "packages": {\n    "prisma": ["prisma@6.8.2", "", {}],\n  }\n}\n',
    "node_modules/prisma/package.json": '{"version": "6.0.0"}',
}


@pytest.mark.parametrize("name", LOCKS)
def test_what_is_locked_tells_the_version(name: str, tmp_path: Path) -> None:
    """The version comes from any lock file or from what is installed, before the range that is asked for."""
    (tmp_path / "package.json").write_text('{"devDependencies": {"prisma": ">=5"}}')
    assert packages.prisma_version(tmp_path) == 5
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(LOCKS[name])
    assert packages.prisma_version(tmp_path) == 6
