"""The app of the allocation engine."""

from django.apps import AppConfig


class TokensConfig(AppConfig):
    """The engine and its queue."""

    name = "tokens"
    verbose_name = "Tokens"
