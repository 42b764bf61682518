"""The one way a stored value can have no reading."""


class Unreadable(ValueError):
    """A stored value has no reading as its column's type; the message says why.

    `code` is that of the finding about such values, by which repairs are chosen (`zenni-tui explain CODE`).
    It equals nothing, so a row that holds one differs from any row of the target.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code

    @property
    def reason(self) -> str:
        """Return why the value has no reading."""
        return str(self)
