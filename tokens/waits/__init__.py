"""How long patients wait: estimated from what consultations really take, and compared with what happened.

`model` learns and predicts, `estimate` walks a session's queue, `knowledge` keeps what the database knows of a doctor,
`log` keeps what patients were told, `consultations` judges the model on a file.
"""

from datetime import datetime

from tokens.facts import SessionFacts
from tokens.waits.estimate import Wait, estimates, planned_step
from tokens.waits.knowledge import known_of
from tokens.waits.log import Accuracy, accuracy, given

__all__ = ["Accuracy", "Wait", "accuracy", "given", "planned_step", "waits"]


def waits(session: SessionFacts, now: datetime) -> dict[int, Wait]:
    """The wait of everybody who queues or is expected in the session, by token id; others are not in it. No query."""
    return estimates(session, now, known_of(session))
