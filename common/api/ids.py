"""Ids in addresses, in bodies and in filters: digits from 0 to 9.

In an address, what no row can have is 404 before the database is asked.
"""

import re
from typing import Any, Final

# 18 digits always fit a bigint.
ID: Final = r"[0-9]{1,18}"

_WRITTEN: Final = re.compile(r"-?[0-9]+(\.0*)?")
"""Below zero and 7.0 are for whoever reads the number to judge."""


def is_written(data: Any) -> bool:
    """Whether it is a whole number as it is written everywhere; 1_0 and the digits of other scripts are Python's."""
    return not isinstance(data, bool) and _WRITTEN.fullmatch(str(data).strip()) is not None
