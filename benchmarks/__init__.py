"""How fast the product is, measured against the same work by hand: ``make bench``, told in docs/performance.md."""
