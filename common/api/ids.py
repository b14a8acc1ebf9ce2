"""Ids in addresses: what no row can have is 404 before the database is asked."""

from typing import Final

# 18 digits always fit a bigint.
ID: Final = r"[0-9]{1,18}"
