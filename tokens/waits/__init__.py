"""How long patients wait: estimated from what consultations really take, and compared with what happened.

`model` learns and predicts; `estimate` walks a session's queue; `asking` is where screens and answers ask; `history`,
`learning` and `knowledge` read, learn and keep what the database knows of a doctor; `log` keeps what patients were
told; `consultations` judges the model on a file.
"""

from tokens.waits.asking import Places, places, wait_after, waits, waits_in
from tokens.waits.estimate import Wait, planned_step
from tokens.waits.log import Accuracy, accuracy, given

__all__ = [
    "Accuracy",
    "Places",
    "Wait",
    "accuracy",
    "given",
    "places",
    "planned_step",
    "wait_after",
    "waits",
    "waits_in",
]
