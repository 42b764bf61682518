"""The one way in which a value can fail to be carried."""


class Unfit(ValueError):
    """A stored value has no faithful form in the target's type; `code` names the finding, `reason` says why."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
