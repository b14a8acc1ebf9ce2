"""What logs must not hold: the key in an address that opens a page to whoever knows it."""

import logging
import re
from typing import Final

_KEY: Final = re.compile(r"(/t/|tokens/status/)[A-Za-z0-9_-]{8,}")


class WithoutKeys(logging.Filter):
    """Takes such keys out of a line before it is written; nothing is left out."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record's message where it names a key."""
        message = record.getMessage()
        shown = _KEY.sub(r"\1...", message)
        if shown != message:
            record.msg, record.args = shown, ()
        return True
