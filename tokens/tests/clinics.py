"""Made-up clinics whose truth is known: consultations as the rows of a file, from seeded distributions."""

from collections.abc import Callable
from random import Random

from tokens.waits.consultations import Prediction, Score, predict, read, scores

HEADER = "session,order,half_day,day_of_week,visit_number,sex,start_time,service_seconds"
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
Service = Callable[[Random, int, int], float]
"""Minutes of a consultation, from the visit number and the place in the session."""


def clock(seconds: float) -> str:
    """Seconds after midnight as a time of day."""
    whole = round(seconds) % 86_400
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def steady(random: Random, number: int, place: int) -> float:
    """Twelve minutes, give or take, whoever comes."""
    return random.lognormvariate(2.4, 0.5)


def by_visit(random: Random, number: int, place: int) -> float:
    """The first visit takes twice as long, and the doctor hurries towards the end."""
    return random.lognormvariate(2.2, 0.45) * (2.0 if number == 1 else 1.0) * (1.1 - 0.02 * place)


def with_breaks(random: Random, number: int, place: int) -> float:
    """One in twenty is followed by a long break."""
    return steady(random, number, place) + (random.uniform(20, 60) if random.random() < 0.05 else 0.0)


def lines(seed: int, sessions: int = 120, service: Service = by_visit, scale: float = 1.0) -> list[str]:
    """The lines of a file after its first."""
    random, found = Random(seed), []
    for session in range(1, sessions + 1):
        afternoon = session % 2 == 0
        at = (14.5 if afternoon else 8.5) * 3600 + random.uniform(0, 300)
        for place in range(random.randint(10, 24)):
            number = 1 if random.random() < 0.4 else random.randint(2, 12)
            minutes = service(random, number, place) * scale
            half, day = ("afternoon" if afternoon else "morning"), DAYS[session // 2 % 6]
            row = (session, place + 1, half, day, number, random.choice("FM"), clock(at), round(minutes * 60))
            found.append(",".join(map(str, row)))
            at += minutes * 60
    return found


def predicted(rows: list[str]) -> list[Prediction]:
    """What is predicted on such lines."""
    return list(predict(read("\n".join([HEADER, *rows]).encode())[0]))


def scored(rows: list[str]) -> list[Score]:
    """How that turned out."""
    return scores(predicted(rows))
