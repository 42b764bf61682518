"""The customer's plan as tasks: every line of it, and what of this program, or who, carries it."""

from collections.abc import Iterator

from .runbook import RunKind
from .tasks import Phase, Risk, Task

_REHEARSED = (RunKind.REHEARSE,)
_LIVE = (RunKind.MIGRATE,)

PHASES: tuple[Phase, ...] = (
    Phase("A", "Prerequisites", 7),
    Phase("B", "Before the migration", 14, after=("A",)),
    Phase("C", "Phase 1: preparation", 14, after=("B",)),
    Phase("T", "Phase 1: test migration", 14, after=("B",), kinds=_REHEARSED),
    Phase("D", "Phase 2: migration day", 1, after=("C", "T"), kinds=_LIVE),
    Phase("E", "Phase 3: the days after", 2, after=("D",)),
    Phase("R", "Rollback", 1, after=("D",), kinds=_LIVE, optional=True),
    Phase("M", "Documentation", 7, after=("D",)),
    Phase("L", "Training", 14, after=("B",)),
)

_LINES = """
A VPN restrictions resolved
A1 the VPN lets this machine through to the database | check reach/tcp
A2 the database answers from here | check reach/login, check reach/line
A Supabase account
A3 an account and a project exist | sign-off
A4 the connection details are known | check reach/name, check reach/server
A5 security settings and firewall rules are set | check reach/tls, check reach/rights, sign-off
A Development environment
A6 a branch for the migration's work exists | deed updates
A7 the application has two configurations, one active | check reach/both sides
A8 backups are made by the program and proven | check snapshot/backup, check snapshot/integrity
A Testing environment
A9 a staging environment like production has been rehearsed on | check reach/server, step verify
A10 both sides of the application can be tried | action switch/build

B Schema compatibility review
B1 the schema is reviewed against PostgreSQL's practices | step audit
B2 the schema decisions are offered, and chosen or not | check plan/types
B3 SQLite-only code of the application is known | check audit/queries
B Data audit
B4 all data is audited | step audit
B5 integrity is checked and what is wrong has a repair | check snapshot/integrity
B6 special formats are documented column by column | check report/evidence
B Query analysis
B7 the application's queries are analysed | check audit/queries
B8 inefficient queries are found by their times on both sides | check report/queries
B9 queries that need attention are documented | check report/queries
B Application updates
B10 the Prisma schema is updated | deed updates
B11 direct SQL is translated and proven | check report/queries
B12 the data access layer knows PostgreSQL's driver | deed updates
B Migration scripts
B13 export | step snapshot
B14 transformation | check plan/types
B15 import | step copy
B16 verification | step verify

C Supabase setup
C1 the database is there | check reach/login
C2 users, permissions and access controls | check reach/rights
C3 backups and monitoring are configured | check report/restore proof, deed watch
C Schema migration
C4 the Prisma schema is changed for PostgreSQL | deed updates
C5 the PostgreSQL migrations are made | deed updates
C6 they are applied | check prepare/catalogue
C7 the schema is verified | check verify/structure

T Test migration
T1 a full migration of a copy of production | step verify
T2 its time and use of resources are measured | expected
T3 data integrity afterwards | step verify
T4 the application's tests against the new database | action switch/tests

D Preparation
D1 the maintenance window is announced | action switch/announce
D2 the application is read-only | action switch/freeze
D3 the final backup | check snapshot/hash
D Data migration
D4 export | step snapshot
D5 transformation | check plan/types
D6 import | step copy
D7 counts and integrity are verified | step verify
D Connection switching
D8 the environment points to PostgreSQL | action switch/environment
D9 the application is deployed with it | action switch/deploy
D10 connectivity and functions are verified | action switch/health
D Verification
D11 data integrity after the switch | action switch/compare
D12 critical functions | action switch/smoke
D13 performance and error rates are watched | step watch

E Performance optimization
E1 query performance in production | deed watch
E2 further indexes | deed watch
E3 slow queries | deed watch
E4 connection pooling | deed watch
E Data verification
E5 all data is validated again | deed drift
E6 key metrics of old and new agree | deed metrics
E7 relationships and constraints work | check verify/structure
E Monitoring
E8 PostgreSQL is monitored | deed watch
E9 alerts are configured | deed alerts
E10 pool use is watched | deed watch
E11 query times are tracked | deed watch

R Decision criteria
R1 criteria for going back are defined | check reach/criteria
R2 who may decide is known | check reach/criteria
R Process
R3 the environment points to SQLite again | action fall_back/environment
R4 the old configuration is deployed | action fall_back/deploy
R5 functions on SQLite are verified | action fall_back/health
R6 longer maintenance is announced | action fall_back/announce
R Analysis
R7 what led to it is documented | deed document rollback.md
R8 the causes are mended in development | sign-off
R9 the next attempt has a date | sign-off

M Database documentation
M1 the schema | deed document database.md
M2 what is PostgreSQL's own | deed document database.md
M3 connection and environment | deed document connection.md
M Developer documentation
M4 setting up for new developers | deed document developers.md
M5 what to mind when developing | deed document developers.md
M6 backup and restore | deed document backup.md
M Operations documentation
M7 monitoring | deed document monitoring.md
M8 backup schedule and retention | deed document backup.md
M9 pool settings and their management | deed document pooling.md

L Developers
L1 PostgreSQL's basics and practices | deed lesson postgresql
L2 Prisma on PostgreSQL | deed lesson prisma
L3 the common errors and what they mean | deed lesson errors
L Operations
L4 monitoring and maintenance | deed lesson watch
L5 backup and restore | deed lesson backup
L6 scaling and performance | deed lesson pooling
"""


def _tasks() -> Iterator[Task]:
    group = ""
    for line in filter(None, _LINES.splitlines()):
        head, rest = line.split(" ", 1)
        words, bar, carriers = rest.partition(" | ")
        if not bar:
            group = rest
            continue
        yield Task(head, head.rstrip("0123456789"), group, words, tuple(carriers.split(", ")))


TASKS: tuple[Task, ...] = tuple(_tasks())

RISKS: tuple[Risk, ...] = (
    Risk(
        "K1",
        "Data is lost in the migration",
        "low",
        "high",
        {"multiple backups": ("A8", "D3"), "verification": ("D7", "D11", "E5"), "dry run": ("T1",)},
    ),
    Risk(
        "K2", "The schema does not fit", "medium", "medium", {"thorough testing in staging": ("A9", "B1", "C7", "T1")}
    ),
    Risk(
        "K3",
        "It becomes slower",
        "medium",
        "medium",
        {"query optimization": ("B8", "E3"), "proper indexing": ("E2",), "monitoring": ("D13", "E8")},
    ),
    Risk(
        "K4",
        "The downtime grows",
        "low",
        "high",
        {"well-tested migration": ("T1", "T2"), "rollback plan": ("R1", "R2", "A10")},
    ),
    Risk(
        "K5",
        "Supabase can't be reached",
        "medium",
        "high",
        {"connectivity tested before": ("A1", "A2"), "backup connection": ("A4",)},
    ),
)
