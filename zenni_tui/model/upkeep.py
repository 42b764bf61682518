"""How the new database is kept, as the configuration tells of it: what the documents say of the time afterwards."""

from .backup import Backup
from .record import Record
from .vitals import Limits


class Upkeep(Record, frozen=True):
    """Backups and the watch; `told` is whether anybody is told of alerts, `config` the configuration's path, if any."""

    backup: Backup = Backup()
    watch: Limits = Limits()
    told: bool = False
    config: str = ""
