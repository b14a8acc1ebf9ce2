"""Bills, payments, the ledger and the cash desk's shifts."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Money: what is owed, what was paid, and the proof that both agree."""

    name = "billing"
    verbose_name = "Billing"
