"""Where ``common.api.idempotency`` keeps its answers: the table ``IdempotencyKey``."""

from accounts.models import IdempotencyKey
from common.api import idempotency


def install() -> None:
    """Lend the table to the floor below, which has none."""
    idempotency.use_table(IdempotencyKey._meta.db_table)
