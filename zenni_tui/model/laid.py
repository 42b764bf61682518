"""What SQLite is asked to lay out as one text for each row of a table."""

from .record import Record


class Piece(Record, frozen=True):
    """A piece of a row: letters, others where a column is NULL, and then that column's text if it is to be shown."""

    letters: str
    column: str = ""
    null: str | None = None
    shown: bool = False
