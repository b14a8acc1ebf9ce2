"""Live screens: who changed a session says so after the commit, and every server process tells its open streams.

`session.version` is the truth; what travels here are hints. After a commit a thread of the process sends a NOTIFY for
each session that changed, gathered to at most ten a second (`saying`; inside the transaction a NOTIFY would hold a
lock of the whole cluster through the commit). Each server process has one listening connection, outside the pool.
Once a second it compares versions, in case a hint was lost (`hearing`). Streams hold no connection of their own: what
several of them watch is read and rendered once for all (`sharing`).

A screen becomes live with a `Watch`::

    def read() -> Frame | None:                       # in the hub's thread: may query, must not keep the request
        hall = queries.hall(facility_id)
        return Frame.of({"head": render(...), **{f"col-{c.id}": render(...) for c in hall}})

    Watch(key=("hall", facility_id, may_call), read=read, facility_id=facility_id)

`reception.streaming.live_page` makes a page's stream of it, `static/js/live.js` puts what comes into the page.
"""

from tokens.live.frames import Frame, Watch
from tokens.live.rounds import shared
from tokens.live.saying import announce
from tokens.live.sharing import Hub, hub

__all__ = ["Frame", "Hub", "Watch", "announce", "hub", "shared"]
