"""Small marks and words that many templates use."""

from datetime import date

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from accounts.models import Facility, User
from accounts.permissions import facility_ids, within
from common.templatetags.ui import icon, mark
from patients.models import Patient
from reception.demo.known import demo_users
from reception.demo.people import PASSWORD, Member
from reception.hall import SOURCE_WORDS, SlotView
from reception.overview import Line, Scale
from reception.pages import lines as written
from tokens.states import Source

register = template.Library()


# Templates that speak of tokens need these two all the time.
register.simple_tag(icon)
register.simple_tag(mark)


@register.simple_tag
def slots(views: list[SlotView], plans: str, money: bool = False) -> SafeString:
    """The slots of a column with everybody in them."""
    return mark_safe(written.slots(views, plans, money=money))  # noqa: S308 - every text is escaped


@register.simple_tag
def blocks(line: Line, scale: Scale) -> SafeString:
    """The day of a line of the overview."""
    return mark_safe(written.day(line.blocks, scale.now_at))  # noqa: S308 - every text is escaped


@register.simple_tag
def goes_to(address: str, form_id: str = "") -> SafeString:
    """The attributes of a form in the drawer, whose answer takes its place; without scripts it is posted as it is."""
    own = format_html(' id="{}"', form_id) if form_id else ""
    answered = 'hx-target="#drawer" hx-swap="outerHTML" hx-disabled-elt="find button[type=submit]"'
    return format_html('action="{0}" hx-post="{0}" {1}{2}', address, mark_safe(answered), own)  # noqa: S308 - a constant


@register.filter
def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


@register.filter
def phone(number: str) -> str:
    """A phone number with spaces: +91 98450 11213; others are left as they are."""
    if number.startswith("+91") and len(number) == 13:
        return f"{number[3:8]} {number[8:]}"
    return number


@register.filter
def age_in(patient: Patient, on: date) -> int | None:
    """The age of a patient on a date, in years."""
    return patient.age(on)


@register.filter
def words(source: str) -> str:
    """A source as people say it."""
    return SOURCE_WORDS[Source(source)]


@register.filter
def may(user: User, code: str) -> bool:
    """Whether a person may do something in some facility."""
    return bool(facility_ids(user, code))


@register.filter
def of(mapping: dict[object, object], key: object) -> object:
    """The value of a mapping."""
    return mapping.get(key, "")


@register.simple_tag
def known_users() -> list[Member]:
    """Who can sign in while the demo is loaded."""
    return demo_users()


@register.simple_tag
def demo_password() -> str:
    """The password that they all have."""
    return PASSWORD


@register.simple_tag(takes_context=True)
def house(context: template.Context) -> Facility | None:
    """Where the person stands, on pages that are about no facility: the one chosen at the desk, else the first."""
    user, given = context.get("user"), context.get("facility")
    if given or not user or not user.is_authenticated:
        return given
    own = Facility.objects.filter(within(facility_ids(user, "tokens.view"), "pk"), is_active=True)
    return own.filter(pk=context["request"].session.get("facility")).first() or own.first()


@register.simple_tag
def house_name() -> str:
    """The name over the door: the facility's, where there is just one for whoever has not signed in yet."""
    names = list(Facility.objects.filter(is_active=True).order_by("pk").values_list("name", flat=True)[:1])
    return names[0] if names else _("Outpatients")
