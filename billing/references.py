"""When two outside references are the same: of a card terminal, a bank, UPI or a wallet. No database, no clock.

People type them as they read them: "ab12", "AB 12 " and "AB12" are one payment. A reference is kept as it was given,
and is compared without blanks and with all letters from A to Z large; other letters stay as they are. The database
does the same (`models.fields.NormalReference`), from the same two lists.
"""

from string import ascii_lowercase, ascii_uppercase
from typing import Final

BLANKS: Final = (
    "\t\n\v\f\r \x85\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u2028\u2029"
    "\u202f\u205f\u2060\u3000\ufeff"
)
"""White space, and what takes no room at all and comes along when a reference is copied from a page."""
SMALL, LARGE = ascii_lowercase, ascii_uppercase

_TABLE: Final = str.maketrans(SMALL, LARGE, BLANKS)


def normal(reference: str) -> str:
    """A reference as it is compared."""
    return reference.translate(_TABLE)
