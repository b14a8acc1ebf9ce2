"""What the registry of patients allows to be done."""

from accounts.permissions import register

register(
    "patients.view",
    "See patients",
    roles=["doctor", "reception", "staff", "lab-technician", "billing-staff", "pharmacist", "manager"],
)
register("patients.edit", "Register and change patients", roles=["reception", "staff"])
register("patients.merge", "Merge two records of one patient", roles=["reception"])
