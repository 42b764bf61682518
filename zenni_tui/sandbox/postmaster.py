"""One PostgreSQL server process as the keeper's child: made, started, waited for, stopped."""

import ctypes
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from zenni_tui.errors import StepFailed

from .binaries import Account, clean_environment, program, run_as, server_account
from .registry import ServerRecord

HOST = "127.0.0.1"
ATTEMPTS = 10
READY_SECONDS = 120.0
READY_POLL_SECONDS = 0.01
FAST_SECONDS = 20.0
QUIT_SECONDS = 5.0
PR_SET_PDEATHSIG = 1
RETRY_WHEN_LOGGED = ("Address already in use", "pre-existing shared memory block")
"""A port lost to somebody else, and a killed server's last backends: both pass."""

SETTINGS = {
    "listen_addresses": HOST,
    "max_connections": "50",
    "shared_buffers": "256MB",
    # Leaves nothing behind in /dev/shm, which containers keep small besides.
    "dynamic_shared_memory_type": "mmap",
    "huge_pages": "off",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements and their details carry customers' data and, in ALTER ROLE, passwords.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class Postmaster:
    """The server process of one record's data."""

    def __init__(self, record: ServerRecord) -> None:
        self.port = record.port
        self._user = record.user
        self._folder = Path(record.directory)
        self._data = Path(record.data)
        self._sockets = Path(record.sockets)
        self._log = self._folder / "postgres.log"
        # initdb writes PG_VERSION first: only its good end shows that the data are whole.
        self._made = self._folder / "made"
        self._account = server_account()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        """Return whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Return the process's id, 0 before the first start."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Make the data when there are none, start the server and wait until it takes connections.

        Listens on the port it had before, if that is free, else on another. Raises StepFailed.
        """
        if not (self._made.exists() and (self._data / "PG_VERSION").exists()):
            self._make_data()
        for attempt in range(ATTEMPTS):
            if not is_free(self.port):
                self.port = _free_port()
            if self._start_once():
                return
            time.sleep(0.2 * attempt)
        raise StepFailed("Embedded PostgreSQL did not start", where=str(self._log), why=self._log_tail())

    def stop(self, *, immediate: bool = False) -> None:
        """Stop the server: fast (SIGINT), then immediately (SIGQUIT), then by SIGKILL."""
        signs = [(signal.SIGQUIT, QUIT_SECONDS), (signal.SIGKILL, QUIT_SECONDS)]
        if not immediate:
            signs.insert(0, (signal.SIGINT, FAST_SECONDS))
        for sign, seconds in signs:
            if self._process is None or not self.alive:
                return
            self._process.send_signal(sign)
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue

    def remove_sockets(self) -> None:
        """Remove the folder of the socket."""
        shutil.rmtree(self._sockets, ignore_errors=True)

    def _make_data(self) -> None:
        """Run initdb; its password file is 0600, the server account's, and gone afterwards."""
        shutil.rmtree(self._data, ignore_errors=True)
        _private_folder(self._data, self._account)
        password_file = self._sockets / "password"
        _private_folder(self._sockets, self._account)
        password_file.unlink(missing_ok=True)
        _private_file(password_file, (self._folder / "password").read_bytes(), self._account)
        options = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        fixed = ["-U", self._user, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-data-checksums"]
        where = ["-D", str(self._data), f"--pwfile={password_file}"]
        try:
            self._run_initdb([str(program("initdb", self._account)), *fixed, *locale, *where, *options])
        finally:
            password_file.unlink()
        self._made.touch(mode=0o600)

    def _run_initdb(self, command: list[str]) -> None:
        done = subprocess.run(  # noqa: S603 - the wheel's own program, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=clean_environment(),
            cwd=self._data,
            check=False,
            preexec_fn=_dying_with(os.getpid()),
            **run_as(self._account),
        )
        if done.returncode:
            why = done.stdout.decode(errors="replace").strip()[-800:]
            raise StepFailed("Embedded PostgreSQL could not make its data", where=str(self._data), why=why)

    def _start_once(self) -> bool:
        """Start the server and wait for it; return False when it is worth another try; raises StepFailed."""
        _private_folder(self._sockets, self._account)
        begin = self._log.stat().st_size if self._log.exists() else 0
        self._process = self._spawn()
        deadline = time.monotonic() + READY_SECONDS
        while self.alive and time.monotonic() < deadline:
            if self._says_ready():
                return True
            time.sleep(READY_POLL_SECONDS)
        self.stop(immediate=True)
        tail = self._log_tail(begin)
        if any(words in tail for words in RETRY_WHEN_LOGGED):
            return False
        raise StepFailed("Embedded PostgreSQL did not start", where=str(self._log), why=tail)

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = [str(program("postgres", self._account)), "-D", str(self._data)]
        command += ["-p", str(self.port), "-k", str(self._sockets)]
        with os.fdopen(os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as log:
            return subprocess.Popen(  # noqa: S603 - the wheel's own program, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=clean_environment(),
                cwd=self._data,
                preexec_fn=_dying_with(os.getpid()),  # noqa: PLW1509 - the keeper has one thread
                **run_as(self._account),
            )

    def _says_ready(self) -> bool:
        """Return whether the pid file is this process's and says ready (as pg_ctl reads it: its eighth line)."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(self.pid) and lines[7].strip() == "ready"  # noqa: PLR2004 - above

    def _log_tail(self, begin: int = 0) -> str:
        try:
            with self._log.open("rb") as log:
                log.seek(begin)
                return log.read().decode(errors="replace").strip()[-1500:]
        except OSError:
            return ""


def _dying_with(parent: int) -> Callable[[], None] | None:
    """Return what a child does before exec to be stopped (SIGQUIT) when its parent dies (Linux: prctl(2))."""
    if sys.platform != "linux" or os.environ.get("ZENNI_NO_PDEATHSIG"):
        return None
    libc = ctypes.CDLL(None)

    def prepare() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGQUIT), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def _private_folder(path: Path, account: Account | None) -> None:
    """Make the folder for the account alone; one that stands already must be the account's own, and no link.

    Anybody may make names in the temporary folder: a link there must not have root give away what it points to.
    """
    owner = account.uid if account else os.geteuid()
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        facts = path.lstat()
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != owner:
            raise StepFailed("A folder of embedded PostgreSQL is not its own", where=str(path)) from None
        return
    if account is not None:
        os.lchown(path, account.uid, account.gid)


def _private_file(path: Path, content: bytes, account: Account | None) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        if account is not None:
            os.fchown(descriptor, account.uid, account.gid)


def is_free(port: int) -> bool:
    """Return whether the port is one and can be listened on, as PostgreSQL would (with SO_REUSEADDR)."""
    if not port:
        return False
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind((HOST, 0))
        return int(trial.getsockname()[1])
