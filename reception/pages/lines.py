"""Slots and rows of a column, and the day of a line of the overview, written as text.

A desk has sixty slots and four hundred rows; a template took a quarter of a millisecond for each row and half of one
for each slot. What people typed is escaped here; everything else is our own words.
"""

from datetime import datetime
from typing import Final

from django.utils import timezone
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.templatetags.ui import capacity, icon
from reception.hall import Row, SlotView
from reception.overview import Block
from tokens.states import Source

_BY_SOURCE: Final = frozenset({"here", "wait-here", "absent", "wait"})
"""Marks beside which a line has nothing to say but where the token came from."""
_EMERGENCY: Final = '<svg class="icon" aria-hidden="true"><use href="#i-emergency"/></svg>'


def rows(lines: list[Row], *, money: bool) -> str:
    """Tokens as lines of a column."""
    return "".join(_row(line, money=money) for line in lines)


def slots(views: list[SlotView], plans: str, *, money: bool) -> str:
    """The slots of a session with everybody in them. The facility's clock and the language are set by the caller.

    Args:
        plans: the address at which the session is changed.
        money: whether the reader may see what is due.
    """
    more = f'" data-drawer aria-label="{_("Places, block")} %s">{icon("more")}</a>'
    fold = f"{icon('next', 'flip')}</summary>"
    return "".join(_slot(view, plans, more, fold, money) for view in views)


def _row(line: Row, *, money: bool) -> str:
    note = escape(line.note) + (f" {_clock(line.note_at)}" if line.note_at else "")
    if money and line.due:  # where from matters less than that, and the column is narrow
        due = f'<span class="due">{escape(_("%(amount)s due") % {"amount": line.due})}</span>'
        note = due if line.mark in _BY_SOURCE and line.kind != Source.EMERGENCY else f"{note}, {due}"
    return (
        f'<li><a class="tok {line.tone}" id="t-{line.id}" href="?token={line.id}">'
        f'<svg class="mark {line.mark}" role="img" aria-label="{line.state}"><use href="#m-{line.mark}"/></svg>'
        f'<span class="num">{line.number}</span><span class="name">{escape(line.name)}</span>'
        f'<span class="src {line.kind}">{_EMERGENCY if line.kind == Source.EMERGENCY else ""}{note}</span></a></li>'
    )


def _slot(view: SlotView, plans: str, more: str, fold: str, money: bool) -> str:
    """A slot. Past ones are not changed any more."""
    slot, at = view.facts, _clock(view.facts.starts_at)
    change = "" if view.past else f'<a class="plan-link" href="{plans}?slot={slot.id}{more % at}'
    return (
        f'<details class="slot{" past" if view.past else ""}" id="slot-{slot.id}"'
        f' data-by-itself="{"yes" if view.opened else "no"}"{" open" if view.opened else ""}>'
        f"<summary><time>{at}</time>{capacity(view.cells, view.share)}<span>{escape(view.words)}</span>{fold}{change}"
        f"{f'<ol>{rows(view.rows, money=money)}</ol>' if view.rows else ''}{_waiting(view, money)}{_gone(view, money)}"
        "</details>"
    )


def _waiting(view: SlotView, money: bool) -> str:
    """Who waits for a place, and where one is free."""
    if not view.waiting:
        return ""
    words = escape(view.waiting_words)
    return f'<div class="waitlist"><h3>{words}</h3><ol>{rows(view.waiting, money=money)}</ol>{_hint(view)}</div>'


def _hint(view: SlotView) -> str:
    if view.hint is None:
        return ""
    slot, first = view.hint
    words = ngettext(
        "%(at)s has 1 free place. Move %(number)s", "%(at)s has %(n)d free places. Move %(number)s", slot.free
    ) % {"at": _clock(slot.starts_at), "n": slot.free, "number": first.number}
    address = f"?token={first.id}&amp;do=move&amp;slot={slot.id}"
    return f'<a class="hint" href="{address}" data-select="{first.id}" data-drawer>{escape(words)}</a>'


def _gone(view: SlotView, money: bool) -> str:
    if not view.gone:
        return ""
    words = escape(_("%(n)d gone") % {"n": len(view.gone)})
    name = f"gone-{view.facts.id}"
    return (
        f'<details class="gone" id="{name}" data-by-itself="no"><summary>{words}</summary>'
        f"<ol>{rows(view.gone, money=money)}</ol></details>"
    )


def day(blocks: list[Block], now_at: float | None) -> str:
    """The slots of a line from left to right, and the line of now."""
    now = "" if now_at is None else f'<i class="now" style="--at: {now_at}"></i>'
    return "".join(map(_block, blocks)) + now


def _block(block: Block) -> str:
    view = block.slot
    return (
        f'<span class="block {block.tone}" style="--at: {block.start}; --size: {block.size}">'
        f'<time>{_clock(view.facts.starts_at)}</time><span class="vh">{escape(block.places)}, </span>'
        f'{capacity(view.cells, view.share)}<span class="word">{escape(block.words)}</span></span>'
    )


def _clock(at: datetime) -> str:
    return f"{timezone.localtime(at):%H:%M}"
