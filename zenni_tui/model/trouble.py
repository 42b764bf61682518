"""What can go wrong between a run and its target, and what helps against it."""

from enum import StrEnum


class Trouble(StrEnum):
    """Kinds of trouble with the target, by what is done about them."""

    LOST = "the line or the server is gone"
    """Connect again and repeat what was in hand."""
    CROWDED = "the server has no connection or memory left"
    """Repeat with fewer workers."""
    BUSY = "the server broke off: a time limit, a lock or another transaction"
    """Repeat after a while."""
    FULL = "the server's disk is full"
    """Stop: only a person can make space."""
    READ_ONLY = "the server takes no writes"
    """Stop: only a person can change that."""
    REFUSED = "the server refused it"
    """Repeating would not help."""

    @property
    def passes(self) -> bool:
        """Return whether it may pass by itself, so that trying again makes sense."""
        return self in (Trouble.LOST, Trouble.CROWDED, Trouble.BUSY)
