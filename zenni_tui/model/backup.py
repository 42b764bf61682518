"""How the new database is backed up, as the operator wants it."""

from .record import Record


class Backup(Record, frozen=True):
    """`[backup]`: where dumps go (empty: this program's state), how many proven ones are kept (0: all), when.

    `schedule` is a line's beginning in cron's terms (crontab(5)), which the documents repeat. With `in_rehearsals`
    each rehearsal dumps its result and proves the dump; with `before_final` a rollback window ends only with that.
    """

    folder: str = ""
    keep: int = 7
    schedule: str = "15 3 * * *"
    in_rehearsals: bool = False
    before_final: bool = True
