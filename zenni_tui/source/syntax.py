"""What every reader of SQLite's grammar needs: a place among tokens, names, and balanced parentheses."""

from .tokens import Is, Token, Unparsable, tokens

_CONFLICTS = ("ROLLBACK", "ABORT", "FAIL", "IGNORE", "REPLACE")


class Reader:
    """Reads one text from its first token on; every method raises Unparsable where the text isn't as it must be."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self._tokens = tokens(sql)
        self._at = 0

    @property
    def next(self) -> Token:
        """Return the token that is read next."""
        return self._tokens[self._at]

    def after(self, more: int = 1) -> Token:
        """Return the token that is `more` behind the next one."""
        return self._tokens[min(self._at + more, len(self._tokens) - 1)]

    def before(self) -> Token:
        """Return the token that was read last."""
        return self._tokens[max(self._at - 1, 0)]

    def take(self) -> Token:
        """Read one token, whatever it is."""
        token = self.next
        if token.kind is not Is.END:
            self._at += 1
        return token

    def must_take(self) -> Token:
        """Read one token of any kind but the end."""
        if self.next.kind is Is.END:
            raise self.fail("more")
        return self.take()

    def fail(self, wanted: str) -> Unparsable:
        """Return the error that says what should have been here."""
        token = self.next
        here = f"{token.text!r} at character {token.start + 1}" if token.text else "the end"
        return Unparsable(f"{wanted} is expected instead of {here}")

    def has(self, *words: str) -> bool:
        """Read these keywords if they come next, and tell."""
        coming = self._tokens[self._at : self._at + len(words)]
        if [t.word for t in coming] != list(words):
            return False
        self._at += len(words)
        return True

    def one_of(self, *words: str) -> str | None:
        """Read the keyword that comes next if it is one of these."""
        return self.take().word if self.next.word in words else None

    def must(self, *words: str) -> None:
        """Read these keywords."""
        if not self.has(*words):
            raise self.fail(" ".join(words))

    def sees(self, symbol: str) -> bool:
        """Tell whether this symbol comes next."""
        return self.next.kind is Is.SYMBOL and self.next.text == symbol

    def symbol(self, symbol: str) -> bool:
        """Read this symbol if it comes next, and tell."""
        if not self.sees(symbol):
            return False
        self._at += 1
        return True

    def must_symbol(self, symbol: str) -> None:
        """Read this symbol."""
        if not self.symbol(symbol):
            raise self.fail(repr(symbol))

    def name(self) -> str:
        """Read an identifier in any of its four quotings, or a string that stands for one."""
        if not self.next.is_name:
            raise self.fail("a name")
        return self.take().name

    def object_name(self) -> str:
        """Read a name that may have a schema's before it."""
        name = self.name()
        return self.name() if self.symbol(".") else name

    def names(self) -> tuple[str, ...]:
        """Read a list of names in parentheses."""
        self.must_symbol("(")
        found = [self.name()]
        while self.symbol(","):
            found.append(self.name())
        self.must_symbol(")")
        return tuple(found)

    def inside(self) -> str:
        """Read what balanced parentheses hold, to the letter but for spaces and comments at both ends."""
        self.must_symbol("(")
        start, last, depth = self.next.start, self.next.start, 1
        while depth:
            token = self.must_take()
            depth += token.depth
            last = token.end if depth else last
        return self.sql[start:last]

    def rest(self) -> str:
        """Read what comes up to the end or a semicolon, to the letter."""
        start = last = self.next.start
        while self.next.kind is not Is.END and not self.sees(";"):
            last = self.take().end
        return self.sql[start:last]

    def conflict(self) -> str | None:
        """Read an ON CONFLICT clause if there is one; returns its way."""
        if not self.has("ON", "CONFLICT"):
            return None
        way = self.one_of(*_CONFLICTS)
        if way is None:
            raise self.fail("a way to solve the conflict")
        return way

    def ends(self) -> None:
        """See that nothing follows but a semicolon."""
        self.symbol(";")
        if self.next.kind is not Is.END:
            raise self.fail("the end")
