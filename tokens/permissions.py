"""What may be allowed about tokens: a permission for each source, and one for each kind of step.

The roles named here are where a new hospital begins; from then on the rows decide. Doctors give follow-ups, staff
walk-ins and emergencies; priority that was paid for is set by who takes money; patients never sign in.
"""

from accounts.permissions import register

EVERYBODY = ["doctor", "reception", "staff", "lab-technician", "billing-staff", "pharmacist", "manager"]

register("tokens.view", "See tokens and queues", roles=EVERYBODY)

register("tokens.request_online", "Give tokens asked for online or by phone", roles=["reception", "staff"])
register("tokens.request_walk_in", "Give tokens to who walks in", roles=["reception", "staff", "kiosk"])
register("tokens.request_follow_up", "Give follow-up tokens", roles=["doctor", "reception"])
register("tokens.request_paid", "Give tokens with paid priority", roles=["reception", "billing-staff"])
register("tokens.request_emergency", "Give emergency tokens", roles=["reception", "staff"])

register("tokens.mark_paid", "Mark a token as paid", roles=["reception", "billing-staff"])
register("tokens.overbook", "Give a place beyond the capacity, by name", roles=["reception", "doctor"])
register("tokens.cancel", "Cancel tokens", roles=["reception", "staff"])
register("tokens.move", "Move tokens to another slot", roles=["reception"])
register("tokens.change_patient", "Correct whose token it is", roles=["reception"])

register("tokens.arrive", "Say that a patient is here", roles=["reception", "staff", "kiosk"])
register("tokens.back", "Say that a patient is back from a test", roles=["doctor", "reception", "staff", "kiosk"])
register("tokens.no_show", "Say that a patient did not come", roles=["reception"])
register("tokens.call", "Call, recall, hold and skip patients", roles=["doctor", "reception"])
register("tokens.consult", "Start and complete visits, send patients to a test", roles=["doctor"])
register("tokens.send", "Send patients on to another doctor", roles=["doctor", "reception"])
register("tokens.undo", "Take back the last step of a token", roles=["doctor", "reception"])

register("tokens.delay", "Say that a doctor is late, pauses or goes on", roles=["doctor", "reception", "manager"])
register("tokens.supply", "Change capacity, block slots, close and cancel sessions", roles=["reception", "manager"])
register("tokens.policy", "Change how places are decided")
register("tokens.simulate", "Play simulated days", roles=["manager"])
