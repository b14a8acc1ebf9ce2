"""A doctor's practice: who comes to it, and what a visit takes. Made up; the same chance makes the same days."""

from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from math import log
from random import Random

from django.utils import timezone

from patients.models import Patient
from reception.demo.people import GROWN_UP, DoctorPlan
from scheduling.models import Session
from tokens.models import Token

REGULARS = 110
"""So many patients come to the doctor again and again."""

RESTS = 4
"""Nobody comes to the same doctor again before so many sessions, while anybody else is left."""

LOYAL = 0.75
"""The share of visitors who are regulars."""

FIRST = 1.4
"""How much longer the first visit takes."""

SPREAD = 0.38
"""Of the logarithm of a visit's length: most are short, a few are long."""

MINUTE = timedelta(minutes=1)


class Practice:
    """One doctor's patients.

    Args:
        patients: the registry; whom the department is for, and all of it where that is too few.
        seen: the ids of those whom the doctor has seen before.
    """

    def __init__(self, plan: DoctorPlan, patients: Sequence[Patient], seen: set[int]) -> None:
        self.lately: deque[set[int]] = deque(maxlen=RESTS)
        self.plan, self.registry, self.seen = plan, list(patients), seen
        self.everybody = [patient for patient in patients if fits(patient, plan.department)]
        self.regulars = Random(plan.name).sample(self.everybody, min(REGULARS, len(self.everybody)))

    def patient(self, chance: Random, here: set[int], today: set[int]) -> Patient:
        """Somebody who comes.

        Args:
            here: who asked in the session already, and cannot ask again.
            today: who is at the hospital that day already, and is passed over while anybody else is left.
        """
        loyal = chance.random() < LOYAL
        busy = here | today
        rested = busy.union(*self.lately)
        crowds = ((self.regulars if loyal else self.everybody, rested), (self.everybody, rested))
        for crowd, absent in (*crowds, (self.everybody, busy), (self.everybody, here), (self.registry, here)):
            free = [patient for patient in crowd if patient.pk not in absent]
            if free:
                break
        found = chance.choice(free)
        here.add(found.pk)
        today.add(found.pk)
        return found

    def visit(self, chance: Random, patient_id: int) -> timedelta:
        """How long the patient will be with the doctor."""
        minutes = chance.lognormvariate(log(self.plan.pace), SPREAD)
        return max(1.5, min(30.0, minutes * (1 if patient_id in self.seen else FIRST))) * MINUTE

    def learn(self, session: Session) -> None:
        """Whoever was seen in the session is no longer here for the first time."""
        self.lately.append(seen_in(session=session))
        self.seen |= self.lately[-1]


def fits(patient: Patient, department: str) -> bool:
    """Whether the patient is one for that department."""
    if department == "Gynaecology":
        return patient.sex == "female" and not _child(patient)
    return department in ("ENT", "Family Medicine") or _child(patient) == (department == "Paediatrics")


def _child(patient: Patient) -> bool:
    return timezone.localdate().year - (patient.birth_year or 0) < GROWN_UP


def seen_in(**where: object) -> set[int]:
    """The patients who were seen in a session, or (`session__doctor`) by a doctor. One query."""
    return set(Token.objects.filter(status="completed", **where).values_list("patient_id", flat=True))
