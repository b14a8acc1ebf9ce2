"""What others need to know of the demo."""

from django.conf import settings

from accounts.models import User
from reception.demo.people import FACILITY, STAFF, Member


def demo_users() -> list[Member]:
    """Who can sign in with the demo's password (`people.PASSWORD`) while the demo is loaded; one query.

    Empty in production, where it is never loaded, and as soon as nobody of the demo is left.
    """
    if settings.PRODUCTION:
        return []
    wanted = {member.username: member for member in STAFF if member.facility in (FACILITY, None)}
    # Administrators may be there before the demo is: its own facility says that it was loaded.
    loaded = User.objects.filter(username__in=wanted, is_active=True, user_roles__facility__slug=FACILITY)
    found = set(loaded.values_list("username", flat=True))
    return [member for name, member in wanted.items() if name in found or (found and member.facility is None)]
