"""What the desk's own screens allow."""

from accounts.permissions import register

register("reception.kiosk", "Use the kiosk, and start it on a screen", roles=["reception", "manager", "kiosk"])
register("reception.tell", "Tell patients that their place changed, and say so", roles=["reception", "staff"])
