"""What may be allowed about schedules."""

from accounts.permissions import register

register(
    "scheduling.view",
    "See departments, doctors, rooms and sessions",
    roles=["doctor", "reception", "staff", "lab-technician", "billing-staff", "pharmacist", "manager", "kiosk"],
)
register("scheduling.edit", "Change departments, doctors, rooms and weekly lines; add slots", roles=["manager"])
register("scheduling.generate", "Make the sessions of the next weeks", roles=["manager"])
