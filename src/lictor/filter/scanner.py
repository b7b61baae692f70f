"""A cursor over an expression's text that remembers how far it got and what would have been right there.

The grammar is scannerless: words are words only where the grammar wants them (`in in Tags` is fine). Each attempt
that fails leaves what it wanted at its place; the furthest place and its wants make the message, as in the
reference's parser.
"""

from __future__ import annotations

import re

from lictor.filter.errors import FilterError, quoted

SPACE = r"[ \t\r\n]"
END = "EOF"


class Scanner:
    """Reads `text` from `pos` (characters, from 0). Every reader moves `pos` when it succeeds and only then."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.pos = 0
        self._furthest = 0
        self._wanted: set[str] = set()

    def missed(self, want: str) -> None:
        """Notes that `want` was looked for here and not found."""
        if self.pos > self._furthest:
            self._furthest = self.pos
            self._wanted.clear()
        if self.pos == self._furthest:
            self._wanted.add(want)

    def literal(self, word: str) -> bool:
        """Exactly `word`."""
        if self.text.startswith(word, self.pos):
            self.pos += len(word)
            return True
        self.missed(quoted(word))
        return False

    def one(self, characters: str) -> bool:
        """One character of a class, written as in a regular expression."""
        if re.compile(characters).match(self.text, self.pos):
            self.pos += 1
            return True
        self.missed(characters)
        return False

    def many(self, characters: str) -> bool:
        """All characters of a class that follow; whether there were any."""
        found = re.compile(f"{characters}*").match(self.text, self.pos)
        start, self.pos = self.pos, found.end() if found else self.pos
        self.missed(characters)
        return self.pos > start

    def space(self) -> bool:
        """White space; whether there was any."""
        return self.many(SPACE)

    def end(self) -> bool:
        """The end of the text."""
        if self.pos == len(self.text):
            return True
        self.missed(END)
        return False

    def failure(self, rule: str, message: str) -> FilterError:
        """An error at `pos` that no other reading of the text can mend."""
        return FilterError(f'{self._place(self.pos)}: rule "{rule}": {message}')

    def no_match(self) -> FilterError:
        """The error when nothing fits: the furthest place and what was wanted there."""
        wants = sorted(self._wanted - {END}) + [END] * (END in self._wanted)
        listed = " or ".join(part for part in (", ".join(wants[:-1]), wants[-1]) if part) if wants else "nothing"
        return FilterError(f"{self._place(self._furthest)}: no match found, expected: {listed}")

    def _place(self, pos: int) -> str:
        """`line:column (byte)` of a position; a line's end counts as column 0 of the next, as in the reference."""
        last_break = self.text.rfind("\n", 0, pos + 1)
        line = self.text.count("\n", 0, pos + 1) + 1
        return f"{line}:{pos - last_break} ({len(self.text[:pos].encode())})"
