"""Debian's pgbouncer in front of a test's server, on 127.0.0.1, gone at the end."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from postgres17 import PATIENCE, Postgres17, account, free_port, give, own_folder

_CONFIG = """
[databases]
* = host=127.0.0.1 port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users.txt
pool_mode = {mode}
default_pool_size = {size}
max_client_conn = 100
query_wait_timeout = 20
logfile = {folder}/pgbouncer.log
server_tls_sslmode = prefer
"""


def program() -> str:
    """Return the program; a machine without it fails the test rather than skip it."""
    found = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
    assert found, "pgbouncer is missing: apt-get install pgbouncer (.ci/run does)"
    return found


def _write(path: Path, text: str) -> None:
    path.touch(0o600)
    path.write_text(text)
    give(path)


@contextmanager
def pooled(server: Postgres17, mode: str, *, size: int = 10, users: dict[str, str] | None = None) -> Iterator[int]:
    """Yield the port of a pooler in this mode with pools of this size; `users` are those beside postgres."""
    known = {"postgres": server.password, **(users or {})}
    with own_folder() as folder:
        give(folder)
        port = free_port()
        lines = [f'"{user}" "{password}"\n' for user, password in known.items()]
        _write(folder / "users.txt", "".join(lines))
        settings = {"server_port": server.port, "port": port, "folder": folder, "mode": mode, "size": size}
        _write(folder / "pgbouncer.ini", _CONFIG.format(**settings))
        process = subprocess.Popen(
            [program(), str(folder / "pgbouncer.ini")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            **account(),
        )
        try:
            _wait(process, port, folder / "pgbouncer.log")
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        else:
            return
