"""What we were told is committed survives the server's crash."""

import os
import signal

import psycopg

from zenni_tui.sandbox import server as sandbox
from zenni_tui.target.connect import Target


def test_a_commit_holds_on_a_server_that_answers_before_it_has_written(victim: sandbox.Server) -> None:
    """With `synchronous_commit = off`, as the embedded server has it, a crash takes nothing that we count as done."""
    victim.create_database("commits")
    database = victim.conninfo("commits")
    postmaster = victim.record.postmaster
    assert postmaster is not None
    with psycopg.connect(**database) as theirs:
        assert theirs.execute("SHOW synchronous_commit").fetchone() == ("off",)
    with Target(database, database["password"], name="tests").connect() as ours:
        ours.execute("CREATE TABLE t (i int)")
        for i in range(100):
            ours.execute("INSERT INTO t VALUES (%s)", (i,))
        os.kill(postmaster.pid, signal.SIGQUIT)
    sandbox.restart(victim)
    with psycopg.connect(**victim.conninfo("commits")) as theirs:
        assert theirs.execute("SELECT count(*) FROM t").fetchone() == (100,)
    victim.drop_database("commits")
