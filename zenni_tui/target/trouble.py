"""What an error of the target's means: try again, stop, or give up."""

import psycopg

from zenni_tui.errors import Halted, Interrupted, NotReady, StepFailed, ZenniError
from zenni_tui.model.trouble import Trouble

_STATES = {
    "25006": Trouble.READ_ONLY,
    "25P03": Trouble.LOST,
    "40001": Trouble.BUSY,
    "40P01": Trouble.BUSY,
    "53100": Trouble.FULL,
    "53200": Trouble.CROWDED,
    "53300": Trouble.CROWDED,
    "55P03": Trouble.BUSY,
    "57014": Trouble.BUSY,
    "57P01": Trouble.LOST,
    "57P02": Trouble.LOST,
    "57P03": Trouble.LOST,
    "57P05": Trouble.LOST,
}
"""By SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html); class 08 is a lost line."""

_CONNECTING = (
    ("too many", Trouble.CROWDED),
    ("remaining connection slots", Trouble.CROWDED),
    ("password", Trouble.REFUSED),
    ("certificate", Trouble.REFUSED),
    ("does not exist", Trouble.REFUSED),
    ("Tenant or user", Trouble.REFUSED),
    ("encryption", Trouble.REFUSED),
    ("went live", Trouble.REFUSED),
    ("support SSL", Trouble.REFUSED),
)
"""By the text of an error in connecting, to which libpq gives no SQLSTATE, or of a target that serves the application.

Any other is taken for a lost line.
"""


def kind_of(error: BaseException) -> Trouble:
    """Return what kind of trouble an error of the driver's, or of `Target.connect`, is."""
    if isinstance(error, NotReady):
        return _connecting(error.why)
    if not isinstance(error, psycopg.Error):
        return Trouble.REFUSED
    if error.sqlstate is not None:
        return Trouble.LOST if error.sqlstate.startswith("08") else _STATES.get(error.sqlstate, Trouble.REFUSED)
    # Without a SQLSTATE the driver itself speaks: of a line that is gone, or of a call that was wrong.
    gone = isinstance(error, psycopg.OperationalError) or "closed" in str(error)
    return Trouble.LOST if gone else Trouble.REFUSED


def _connecting(text: str) -> Trouble:
    return next((kind for sign, kind in _CONNECTING if sign in text), Trouble.LOST)


def told(error: psycopg.Error | NotReady, where: str) -> ZenniError:
    """Return an error in the operator's terms: Interrupted when trying again may help, else Halted or StepFailed."""
    kind = kind_of(error)
    why = error.why if isinstance(error, NotReady) else in_words(error)
    if kind is Trouble.FULL:
        return Halted(
            "The target's disk is full.",
            where=where,
            why=why,
            next_step="Make space there, then go on: zenni-tui resume. What has arrived stays.",
        )
    if kind is Trouble.READ_ONLY:
        return Halted(
            "The target takes no writes any more.",
            where=where,
            why=why,
            next_step="Look at its disk's usage, and that it is the primary; then go on: zenni-tui resume.",
        )
    made = (Interrupted if kind.passes else StepFailed)(
        "The target broke off.",
        where=where,
        why=why,
        next_step="See that the server is up and has space, then go on: zenni-tui resume; or: zenni-tui rollback.",
    )
    if isinstance(made, Interrupted):
        made.trouble = kind
    return made


def in_words(error: psycopg.Error) -> str:
    """Return the server's or the driver's own words in one line, with the SQLSTATE where there is one."""
    state = f"SQLSTATE {error.sqlstate}: " if error.sqlstate else ""
    return f"{state}{' '.join(str(error).split())}"
