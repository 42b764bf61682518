"""The ways in which a value can fail to be carried, or a column to be carried as a whole."""


class Unfit(ValueError):
    """A stored value has no faithful form in the target's type; `code` names the finding, `reason` says why."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Declined(Exception):
    """Values that are not to be encoded a column at a time; encoded one by one they are carried, or named as unfit."""
