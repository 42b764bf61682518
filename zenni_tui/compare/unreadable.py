"""The one way a stored value can have no reading."""


class Unreadable(ValueError):
    """A stored value has no reading as its column's type; the message says why.

    It equals nothing, so a row that holds one differs from any row of the target.
    """

    @property
    def reason(self) -> str:
        """Return why the value has no reading."""
        return str(self)
