"""Currencies by their codes of ISO 4217, as far as it matters here: how many decimals amounts in them have.

Money is kept with two decimals, so a currency of another exponent cannot be kept to its last coin, or would be shown
with coins that do not exist.
"""

from typing import Final

_OTHER_EXPONENTS: Final = {
    "none": "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    "three": "BHD IQD JOD KWD LYD OMR TND",
    "four": "CLF UYW",
    "not said": "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX",
}
"""ISO 4217, list one, minor units other than 2; those that are not said are of metals, units of account and tests."""

OTHERS: Final = frozenset(code for codes in _OTHER_EXPONENTS.values() for code in codes.split())
"""Currencies whose amounts have not two decimals."""


def has_two_decimals(code: str) -> bool:
    """Whether amounts in a currency have two decimals; a code that is not known is taken for one of them."""
    return code not in OTHERS
