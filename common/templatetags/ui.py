"""The parts of which all pages are made. `/design/` shows each of them in every state.

What is small is written here as a string, for a page may have hundreds of it; what holds other things is a template
in ``templates/components/``::

    {% load ui %}
    {% button _("Give token") kind="primary" type="submit" key="Enter" %}
    {% notice kind="red" icon="warn" %}<p>{{ error }}</p>{% endnotice %}
    {% field form.name size="lg" autofocus=True %}
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from django import template
from django.forms import BoundField, CheckboxInput, RadioSelect, Select
from django.forms.utils import flatatt
from django.template.loader import get_template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

# How a key is written in its button; others are their own letter.
KEY_NAMES: Final = {"Enter": "↵", "Escape": "Esc", "ArrowUp": "↑", "ArrowDown": "↓", "Delete": "Del"}


# Small parts


@register.simple_tag
@lru_cache(maxsize=200)
def icon(name: str, classes: str = "") -> SafeString:
    """An icon of the sprite, which says nothing to a screen reader: words stand beside it."""
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="#i-{}"/></svg>', classes, name)


@register.simple_tag
@lru_cache(maxsize=400)
def mark(name: str, words: str = "") -> SafeString:
    """The shape of a status, with its words for those who do not see it."""
    kind = name.removesuffix("-here")
    if not words:
        return format_html('<svg class="mark {}" aria-hidden="true"><use href="#m-{}"/></svg>', kind, name)
    return format_html(
        '<svg class="mark {}" role="img" aria-label="{}"><title>{}</title><use href="#m-{}"/></svg>',
        kind,
        words,
        words,
        name,
    )


@register.simple_tag(takes_context=True)
def page_link(context: template.Context, name: str, words: str, *args: Any) -> SafeString:
    """A link of the frame to a page; the page that is open says so, and the one that it stands under."""
    address, path = reverse(name, args=args), context["request"].path
    here = ' aria-current="page"' if path == address else ' aria-current="true"' if path.startswith(address) else ""
    return format_html('<a href="{}"{}>{}</a>', address, SafeString(here), words)


@register.simple_tag
def key_hint(key: str) -> SafeString:
    """A key as it is written on the keyboard. A finger has none: it is hidden on touch."""
    return format_html("<kbd>{}</kbd>", KEY_NAMES.get(key, key.upper() if len(key) == 1 else key))


@register.simple_tag
def button(
    label: str, *, kind: str = "", size: str = "", icon: str = "", key: str = "", href: str = "", **attrs: Any
) -> SafeString:
    """Something to press: a verb and its object.

    Args:
        kind: ``primary`` (one in a region), ``quiet``, ``danger``, ``danger-fill``.
        size: ``lg``, ``small``, ``wide`` or several of them.
        icon: before the label; with ``hide=True`` the label is only heard.
        key: what presses it: `keys.js` reads it from the button.
        href: makes it a link.
        attrs: everything else, with ``_`` for ``-``: ``hx_get=address``; ``busy=True`` while it works.
    """
    hide, busy = attrs.pop("hide", False), attrs.pop("busy", False)
    classes = " ".join(filter(None, ["btn", kind, size, "icon-only" if hide else "", attrs.pop("classes", "")]))
    found = {"class": classes, **({"href": href} if href else {"type": attrs.pop("type", "button")})}
    if key:
        found |= {"data-key": key, "aria-keyshortcuts": key}
    if hide:
        found["aria-label"] = label
    if busy:
        found["aria-busy"] = "true"
    found |= {name.replace("_", "-"): value for name, value in attrs.items() if value not in (None, "")}
    inside = [_spinner() if busy else "", _icon(icon), "" if hide else label, _after(key) if key and not hide else ""]
    tag = "a" if href else "button"
    return format_html(
        "<{}{}>{}</{}>", tag, flatatt(found), format_html_join("", "{}", ((part,) for part in inside)), tag
    )


def _icon(name: str) -> SafeString | str:
    return icon(name) if name else ""


def _after(key: str) -> SafeString:
    return format_html(" {}", key_hint(key))


def _spinner() -> SafeString:
    return SafeString('<span class="spin"></span>')


@register.simple_tag
def chip(words: str, kind: str = "", shape: str = "", icon: str = "") -> SafeString:
    """A source or a status: always words; a shape or an icon beside them; a colour only repeats it.

    Args:
        kind: ``plain``, ``paid``, ``emergency``, ``waiting``, ``late``, ``now``, ``over``.
        shape: the mark of a status.
    """
    sign = mark(shape) if shape else _icon(icon or ("emergency" if kind == "emergency" else ""))
    return format_html('<span class="chip {}">{}{}</span>', kind, sign, words)


@lru_cache(maxsize=20)
def _cell(kind: str) -> str:
    return format_html('<i class="{}"></i>', kind)


@register.simple_tag
def capacity(cells: Sequence[str] = (), share: int = 0, words: str = "") -> SafeString:
    """The places of a slot, a cell for each: ``seen``, ``now``, ``held``, ``free``, ``over``, ``cut``.

    Args:
        share: without cells, for many places, one bar: so many per cent are taken.
        words: what it says, where no words stand beside it.
    """
    told = format_html('role="img" aria-label="{}"', words) if words else SafeString('aria-hidden="true"')
    if not cells:
        return format_html('<meter class="capline" min="0" max="100" value="{}" {}></meter>', share, told)
    return SafeString(f'<span class="cap" {told}>{"".join(map(_cell, cells))}</span>')


# Fields


@register.simple_tag
def field(
    bound: BoundField, *, label: str = "", hint: str = "", size: str = "", seg: bool = False, **attrs: Any
) -> str:
    """A field of a form: its label, what helps, what is wrong, and the control.

    Args:
        size: ``lg``, ``short``.
        seg: few radios as a strip.
        attrs: of the control, with ``_`` for ``-``.
    """
    widget = bound.field.widget
    hint = hint or str(bound.help_text)
    described = [f"{bound.auto_id}-error"] if bound.errors else []
    described += [f"{bound.auto_id}-hint"] if hint else []
    own: dict[str, Any] = {"class": " ".join(filter(None, ["input", size])), "placeholder": None, "aria-invalid": None}
    own |= {name.replace("_", "-"): value for name, value in attrs.items()}
    own["aria-describedby"] = " ".join(described) or None
    if bound.errors:
        own["aria-invalid"] = "true"
    kind = "radios" if isinstance(widget, RadioSelect) else "select" if isinstance(widget, Select) else ""
    if isinstance(widget, CheckboxInput):
        kind, own["class"] = "check", None
    return _part(
        "field", bound=bound, label=label or bound.label, hint=hint, kind=kind, seg=seg, control=_control(bound, own)
    )


def _control(bound: BoundField, own: dict[str, Any]) -> SafeString:
    """The widget with our attributes; what is None is left away, also where the form said it."""
    kept = bound.field.widget.attrs
    bound.field.widget.attrs = {name: value for name, value in kept.items() if own.get(name, value) is not None}
    try:
        return bound.as_widget(attrs={name: value for name, value in own.items() if value is not None})
    finally:
        bound.field.widget.attrs = kept


# Parts that hold others


@register.simple_block_tag
def notice(content: str, kind: str = "", icon: str = "info", role: str = "") -> str:
    """A sentence that must be read. Kinds: ``amber`` waits or is stale, ``red`` is wrong, ``ok`` is done."""
    return _part("notice", content=content, kind=kind, icon=icon, role=role)


@register.simple_block_tag
def panel(content: str, title: str = "", classes: str = "") -> str:
    """A box for things that belong together, with a heading. No panel in a panel."""
    return _part("panel", content=content, title=title, classes=classes)


@register.simple_block_tag
def dialog(content: str, name: str, title: str) -> str:
    """A dialog that `showModal()` opens: only before what undo cannot reach. Esc closes it."""
    return _part("dialog", content=content, name=name, title=title)


@register.simple_block_tag
def empty(content: str, title: str, name: str = "") -> str:
    """What stands where nothing is: what would stand here, and what to do."""
    return _part("empty", content=content, title=title, name=name)


@register.simple_block_tag
def table(content: str, label: str = "", classes: str = "") -> str:
    """A table that scrolls inside its own region where it is too wide."""
    return _part("table", content=content, label=label, classes=classes)


@register.simple_block_tag
def toast(content: str, kind: str = "", **attrs: Any) -> str:
    """What was asked is done: a sentence and perhaps its undo. Kind ``error``: it was refused, and is read at once."""
    told = {"role": "alert"} if kind == "error" else {}
    named = {name.replace("_", "-"): value for name, value in attrs.items()}
    return _part("toast", content=content, kind=kind, attrs=flatatt(told | named))


def _part(template_name: str, /, **values: Any) -> SafeString:
    return SafeString(get_template(f"components/{template_name}.html").render(values))
