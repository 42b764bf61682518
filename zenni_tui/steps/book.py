"""The runbook: every step, in order."""

from zenni_tui.model.runbook import StepId

from .arm import Arm
from .audit import Audit
from .catch_up import CatchUp
from .copy import Copy
from .fall_back import FallBack
from .index import Index
from .inspect import Inspect
from .plan import Plan
from .prepare import Prepare
from .reach import Reach
from .report import Report
from .run import Step
from .snapshot import Snapshot
from .switch import Switch
from .verify import Verify
from .watch import Watch

_ALL: tuple[Step, ...] = (
    Reach(),
    Arm(),
    Snapshot(),
    Inspect(),
    Audit(),
    Plan(),
    Prepare(),
    Copy(),
    Index(),
    Verify(),
    CatchUp(),
    Report(),
    Switch(),
    Watch(),
    FallBack(),
)
BOOK: dict[StepId, Step] = {s.id: s for s in _ALL}
