"""The verb `updates`: a patch in a folder or a commit on a branch, and nothing of the operator's is touched."""

import hashlib
import json
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support import Outcome, Program

from zenni_tui.sandbox.sample import SampleApplication

IDENTITY = ("-c", "user.name=Otto", "-c", "user.email=otto@example.org")


@pytest.fixture
def project(program: Program, sample: SampleApplication) -> Path:
    """Return the sample application in a repository with one commit, and a file that nobody has committed yet."""
    folder = program.home / "shop"
    shutil.copytree(sample.folder, folder)
    (folder / ".gitignore").write_text(".env*\n*.db\n")
    _git(folder, "init", "--quiet", "--initial-branch", "main")
    _git(folder, "add", "--all")
    _git(folder, *IDENTITY, "commit", "--quiet", "--message", "the shop")
    (folder / "notes.txt").write_text("mine")
    return folder


@pytest.fixture
def planned(program: Program, project: Path) -> Outcome:
    """Return the outcome of a plan for the project; the operator's git knows who commits."""
    for role in ("AUTHOR", "COMMITTER"):
        _git(project, "config", f"{role.lower()}.name", "Otto")
        _git(project, "config", f"{role.lower()}.email", "otto@example.org")
    outcome = program.run("plan", "--source", str(project / "prisma" / "dev.db"))
    assert outcome.code == 0, outcome.narration
    return outcome


def _git(folder: Path, *command: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *command], check=True, capture_output=True, text=True)
    return done.stdout


def _state(folder: Path) -> dict[str, str]:
    """Return a digest of every file of a project, of the repository but its objects and logs of references too."""
    found = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        if not name.startswith((".git/objects/", ".git/logs/")):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def test_a_patch_goes_into_the_runs_directory(program: Program, project: Path, planned: Outcome) -> None:
    """The patch, its story and the changed files lie with the run, private; the project is as it was; it is a deed."""
    before = _state(project)
    outcome = program.run("updates")
    assert outcome.code == 0, outcome.narration
    assert _state(project) == before
    into = planned.folder / "updates"
    assert outcome.document["where"] == str(into)
    assert stat.S_IMODE(into.stat().st_mode) == 0o700
    assert {p.name for p in into.iterdir()} == {"updates.patch", "updates.md", "files"}
    assert "PrismaPg" in (into / "files" / "app" / "lib" / "db.ts").read_text()
    clone = program.home / "clone"
    _git(program.home, "clone", "--quiet", str(project), str(clone))
    _git(clone, "apply", "--check", str(into / "updates.patch"))
    told, _ = program.start("tasks", "--source", str(project / "prisma" / "dev.db"), "--json").communicate()
    tasks = {t["task"]["id"]: t for t in json.loads(told)}
    assert [tasks[t]["state"] for t in ("A6", "C4", "C5")] == ["done", "done", "done"]
    assert str(into) in tasks["C4"]["evidence"]["deed updates"]["found"]


def test_a_patch_goes_where_it_is_told_to(program: Program, project: Path, planned: Outcome) -> None:
    """A folder that is named gets it; one that holds something is refused, and keeps what it holds."""
    into = program.home / "proposal"
    assert program.run("updates", "--into", str(into)).code == 0
    assert (into / "updates.patch").is_file()
    again = program.run("updates", "--into", str(project))
    assert again.code == 2
    assert "not empty" in again.narration
    assert not (project / "updates.patch").exists()
    assert planned.code == 0


def test_a_branch_gets_one_commit(program: Program, project: Path, planned: Outcome) -> None:
    """The commit holds all changes; the operator's work tree, index, branch and stray files stay as they were."""
    before, files = _git(project, "rev-parse", "HEAD"), _state(project)
    outcome = program.run("updates", "--branch", "postgresql")
    assert outcome.code == 0, outcome.narration
    now = _state(project)
    assert now.keys() - files.keys() == {".git/refs/heads/postgresql"}
    assert {n: now[n] for n in files} == files
    assert _git(project, "rev-parse", "HEAD") == before
    assert _git(project, "rev-parse", "postgresql~1") == before
    assert _git(project, "worktree", "list").count("\n") == 1
    assert _git(project, "log", "-1", "--format=%an", "postgresql").strip() == "Otto"
    changed = _git(project, "diff", "--name-status", "-M", "main", "postgresql").split("\n")
    assert "M\tprisma/schema.prisma" in changed
    assert "A\t.env.example" in changed
    assert any(line.startswith("R100\tprisma/migrations/") for line in changed)
    schema = _git(project, "show", "postgresql:prisma/schema.prisma")
    assert 'provider = "postgresql"' in schema
    code = _git(project, "show", "postgresql:app/api/services/route.ts")
    assert """WHERE "nameEn" LIKE '%massage%' ORDER BY""" in code
    assert "GLOB" not in code
    assert "M\tapp/lib/legacy.js" not in changed
    assert any(told.startswith("app/lib/legacy.js:6: not changed") for told in outcome.document["queries"])
    assert planned.code == 0


@pytest.mark.parametrize(
    ("branch", "said"), [("main", "exists"), ("--orphan", "expected one argument"), ("a..b", "can't be the name")]
)
def test_a_branch_that_cannot_be_is_refused(
    program: Program, project: Path, planned: Outcome, branch: str, said: str
) -> None:
    """A branch that exists, or a word that is no name, is refused, and nothing is made."""
    files = _state(project)
    outcome = program.run("updates", "--branch", branch)
    assert (outcome.code, planned.code) == (2, 0)
    assert said in outcome.narration
    assert _state(project) == files


def test_a_project_without_a_repository_gets_no_branch(program: Program, project: Path, planned: Outcome) -> None:
    """Without git there is a patch, and no branch."""
    shutil.rmtree(project / ".git")
    outcome = program.run("updates", "--branch", "postgresql")
    assert (outcome.code, planned.code) == (3, 0)
    assert "no git repository" in outcome.narration
    assert program.run("updates").code == 0


def test_hooks_of_the_repository_do_not_run(program: Program, project: Path, planned: Outcome) -> None:
    """A hook of the operator's neither runs nor stops the commit."""
    for name in ("pre-commit", "post-checkout", "commit-msg", "post-commit"):
        hook = project / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {project}/ran\nexit 1\n")
        hook.chmod(0o755)
    outcome = program.run("updates", "--branch", "postgresql")
    assert (outcome.code, planned.code) == (0, 0), outcome.narration
    assert not (project / "ran").exists()


def test_a_plan_that_is_not_settled_is_refused(program: Program, make_sample: Callable[..., SampleApplication]) -> None:
    """While findings block, the proposal would lack what they change; it says which."""
    source = str(make_sample(bookings=30, trouble=("nul",)).database)
    assert program.run("plan", "--source", source).code == 3
    outcome = program.run("updates", "--source", source)
    assert outcome.code == 3
    assert "not settled" in outcome.narration
    assert "NUL" in outcome.narration


def test_the_plan_is_that_of_the_source(
    program: Program, planned: Outcome, make_sample: Callable[..., SampleApplication]
) -> None:
    """A newer plan of another source is not taken for the one that is named."""
    other = make_sample(bookings=0)
    assert program.run("plan", "--source", str(other.database)).code == 0
    outcome = program.run("updates", "--source", planned.document["source"]["path"])
    assert outcome.document["where"] == str(planned.folder / "updates")
    assert program.run("updates").document["where"] != outcome.document["where"]


def test_without_a_plan_there_is_no_proposal(program: Program) -> None:
    """It says what to do first."""
    outcome = program.run("updates")
    assert outcome.code == 3
    assert "zenni-tui plan" in json.dumps(outcome.document) + outcome.narration
