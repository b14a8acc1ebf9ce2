"""Where tokens and money meet: visits, consultation bills, priority fees, and what goes back when a place is lost.

`docs/visits.md` tells the rules. `consequences` is what the engine and billing call in their transactions; `fees` and
`refund_rules` decide, and are pure.
"""
