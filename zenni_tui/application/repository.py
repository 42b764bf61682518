"""The git repository that a project lies in: a commit on a branch of its own, made where nobody works.

Neither the operator's files nor the index are touched: the commit is made in a second work tree that is gone afterwards
(git-worktree(1)), without hooks and without a signature, which might ask for a passphrase.
"""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from zenni_tui.errors import NotReady, StepFailed, UsageError

_QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false", "-c", "advice.detachedHead=false")
_ELSEWHERE = frozenset(
    {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX"}
)
"""What the environment says of another repository, as within a hook, is not meant for this one."""
_SECONDS = 300


def top(folder: Path) -> Path | None:
    """Return the work tree's uppermost folder, None when the folder lies in no repository, or git is missing."""
    try:
        return Path(_git(folder, "rev-parse", "--show-toplevel")).resolve()
    except StepFailed:
        return None


def check_name(folder: Path, name: str) -> None:
    """Make sure that a branch can be made; raises UsageError for a name that is none or taken, NotReady otherwise."""
    if top(folder) is None:
        raise NotReady(
            "The project lies in no git repository, so there is no branch to make.",
            where=str(folder),
            next_step="Leave --branch out: the patch goes into a folder.",
        )
    if not _holds(folder, "check-ref-format", "--branch", name):
        raise UsageError(f"{name!r} can't be the name of a branch.", next_step="Such as postgresql.")
    if _holds(folder, "show-ref", "--verify", "--quiet", f"refs/heads/{name}"):
        raise UsageError(
            f"The branch {name} exists.", where=str(folder), next_step=f"Name another, or: git branch -D {name}"
        )
    if not _holds(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}"):
        raise NotReady("The repository has no commit yet.", where=str(folder), next_step="Commit the project first.")


@contextlib.contextmanager
def second_tree(folder: Path) -> Iterator[Path]:
    """Yield the project's folder in a second work tree that holds what was committed last; raises StepFailed."""
    whole = top(folder)
    assert whole is not None  # noqa: S101 - check_name came first
    with tempfile.TemporaryDirectory(prefix="zenni-tui-") as scratch:
        tree = Path(scratch).resolve() / "tree"
        _git(folder, "worktree", "add", "--quiet", "--detach", str(tree), "HEAD")
        try:
            yield tree / folder.resolve().relative_to(whole)
        finally:
            _git(folder, "worktree", "remove", "--force", str(tree))


def commit(tree: Path, name: str, message: str, paths: Iterable[str]) -> str:
    """Commit paths of a second work tree, relative to it, to a new branch; returns the commit's id."""
    _git(tree, "add", "--all", "--force", "--", *paths)
    _git(tree, "commit", "--quiet", "--no-verify", "--message", message)
    made = _git(tree, "rev-parse", "HEAD")
    # The zero: only a branch that nobody has made meanwhile.
    _git(tree, "update-ref", f"refs/heads/{name}", made, "0" * len(made))
    return made


def _holds(folder: Path, *command: str) -> bool:
    try:
        _git(folder, *command)
    except StepFailed:
        return False
    return True


def _git(folder: Path, *command: str) -> str:
    environment = {k: v for k, v in os.environ.items() if k not in _ELSEWHERE} | {"LC_ALL": "C"}
    try:
        done = subprocess.run(  # noqa: S603 - git, with arguments of our own
            ["git", "-C", str(folder), *_QUIET, *command],  # noqa: S607 - the operator's own git
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=True,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = " ".join(str(getattr(error, "stderr", None) or error).split())
        raise StepFailed(
            f"git {command[0]} failed.",
            where=str(folder),
            why=said,
            next_step="Mend what git names, or leave --branch out: the patch goes into a folder.",
        ) from None
    return done.stdout.strip()
