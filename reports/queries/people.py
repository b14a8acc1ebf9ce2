"""What people are called in a report: two who share a name are two."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

PERSON: Final = "u.id, coalesce(nullif(u.name, ''), u.username, ''), coalesce(u.username, '')"
"""Three columns of a statement, of `accounts_user u`: who it is, as screens name them, and what tells them apart."""

Person = tuple[int | None, str, str]
"""An id, a name and what is written behind it where somebody else has the same one."""


def told_apart(people: Iterable[Person]) -> dict[int | None, str]:
    """What each is called, by id: the name, and behind it what tells them apart where it is that of several.

    Where that is the same too they are numbered, who has been known longest first.
    """
    known = sorted(set(people), key=lambda each: each[0] or 0)
    shared = Counter(name for _, name, _ in known)
    called = {pk: f"{name} ({more})" if shared[name] > 1 and more else name for pk, name, more in known}
    shared, turn = Counter(called.values()), Counter[str]()
    for pk, name in called.items():
        turn[name] += 1
        if shared[name] > 1:
            called[pk] = f"{name} {turn[name]}"
    return called
