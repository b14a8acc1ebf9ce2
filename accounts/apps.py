"""Who works here and what they may do: users, roles, permissions, sign-in, the audit trail."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules


class AccountsConfig(AppConfig):
    """Collects what every app declares about permissions and writes it into the database after migrations."""

    name = "accounts"
    verbose_name = "People and roles"

    def ready(self) -> None:
        """Load each app's ``permissions.py``, so that this floor need not know who lives above it."""
        from accounts.actions import sync_permissions
        from accounts.idempotency import install

        autodiscover_modules("permissions")
        install()
        post_migrate.connect(lambda **kwargs: sync_permissions(), sender=self, weak=False, dispatch_uid="permissions")
