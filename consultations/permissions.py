"""What may be allowed about the console. Its steps are the engine's own: `tokens.call`, `tokens.consult` and others."""

from accounts.permissions import register

register("consultations.any_doctor", "Open the console of another doctor", roles=["reception", "manager"])
