"""A commit on a branch of its own: made beside the operator's work tree, whole or not at all."""

import subprocess
from pathlib import Path

import pytest

from zenni_tui.application import repository
from zenni_tui.errors import NotReady, StepFailed, UsageError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project below a repository's top, committed."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder = tmp_path / "repository" / "apps" / "the shop"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("old\n")
    _git(tmp_path / "repository", "init", "--quiet", "--initial-branch", "main")
    _git(folder, "add", "--all")
    _git(folder, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "--message", "old")
    return folder


def _git(folder: Path, *command: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *command], check=True, capture_output=True, text=True).stdout


def _identified(folder: Path) -> None:
    _git(folder, "config", "user.name", "Otto")
    _git(folder, "config", "user.email", "otto@example.org")


def test_a_project_below_the_top_is_committed_there(folder: Path) -> None:
    """The second tree holds the project at its place, and what was not committed is not in it."""
    _identified(folder)
    (folder / "a.txt").write_text("not committed\n")
    assert repository.top(folder) == folder.parents[1]
    repository.check_name(folder, "new")
    with repository.second_tree(folder) as tree:
        assert (tree / "a.txt").read_text() == "old\n"
        (tree / "a.txt").write_text("new\n")
        (tree / "b c.txt").write_text("more\n")
        made = repository.commit(tree, "new", "both", ["a.txt", "b c.txt"])
    assert not tree.exists()
    assert _git(folder, "rev-parse", "new").strip() == made
    assert _git(folder, "show", "new:./a.txt") == "new\n"
    assert _git(folder, "show", "new:./b c.txt") == "more\n"
    assert (folder / "a.txt").read_text() == "not committed\n"
    assert _git(folder, "worktree", "list").count("\n") == 1


def _change(folder: Path) -> None:
    with repository.second_tree(folder) as tree:
        (tree / "a.txt").write_text("new\n")
        repository.commit(tree, "new", "it", ["a.txt"])


def test_a_commit_that_fails_leaves_nothing(folder: Path) -> None:
    """Without a name for its author git refuses, which is told; neither the branch nor the second tree stays."""
    # Else git makes a name of the machine's, where it has a domain.
    _git(folder, "config", "user.useConfigOnly", "true")
    with pytest.raises(StepFailed, match="git commit failed") as caught:
        _change(folder)
    assert "tell me who you are" in caught.value.why
    assert _git(folder, "branch", "--list", "new") == ""
    assert _git(folder, "worktree", "list").count("\n") == 1


def test_a_branch_made_meanwhile_is_not_overwritten(folder: Path) -> None:
    """Whoever made the branch first keeps it."""
    _identified(folder)
    repository.check_name(folder, "new")
    _git(folder, "branch", "new")
    with pytest.raises(StepFailed, match="update-ref"):
        _change(folder)
    assert _git(folder, "rev-parse", "new") == _git(folder, "rev-parse", "main")


def test_what_speaks_against_a_branch_is_told(folder: Path, tmp_path: Path) -> None:
    """No repository, no commit yet, a name that is taken or is none: each is said beforehand."""
    with pytest.raises(UsageError, match="exists"):
        repository.check_name(folder, "main")
    for name in ("-x", "a b", "a..b", "@{-1}", ""):
        with pytest.raises(UsageError, match="can't be the name"):
            repository.check_name(folder, name)
    with pytest.raises(NotReady, match="no git repository"):
        repository.check_name(tmp_path / "nowhere", "new")
    (tmp_path / "fresh").mkdir()
    _git(tmp_path / "fresh", "init", "--quiet")
    with pytest.raises(NotReady, match="no commit"):
        repository.check_name(tmp_path / "fresh", "new")
