"""Settings, from the environment (``environment.py``) and otherwise the same everywhere."""

from datetime import timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from opd_engine import environment as env

BASE_DIR = env.BASE_DIR
PRODUCTION = env.is_production()
OPD_VAR = env.var_dir()
OPD_ENV = "production" if PRODUCTION else "development"
HOST = env.text("HOST", "127.0.0.1")
PORT = env.number("PORT", 8000)

DEBUG = False
SECRET_KEY = env.secret_key(OPD_VAR)
# On a laptop the page is opened from phones in the same room, under whatever name the laptop has there.
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS") or ["*"]
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")

ROOT_URLCONF = "opd_engine.urls"
WSGI_APPLICATION = "opd_engine.wsgi.application"
ASGI_APPLICATION = "opd_engine.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "opd_engine",
    # our floors, from the top down
    "reports",
    "consultations",
    "reception",
    "billing",
    "tokens",
    "scheduling",
    "patients",
    "accounts",
    "common",
    # the look of the admin comes before the admin
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "rest_framework",
    "knox",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "pgtrigger",
    "pghistory",
    "procrastinate.contrib.django",
    "phonenumber_field",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "common.pages.PagesCompressed",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "common.pages.HouseLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "reception.kiosk_mode.KioskMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "accounts.history.HistoryMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "common.pages.RefusalMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- the database ---------------------------------------------------------------------------------------------------

DATABASE_URL = env.text("DATABASE_URL")
# The embedded server: where it keeps its files, and whether it waits for the disk (only tests may say no).
OPD_EMBEDDED_HOME = OPD_VAR / "postgres"
OPD_EMBEDDED_DURABLE = True
# Server processes, and threads of each that answer requests.
OPD_SERVERS = env.number("OPD_SERVERS", 2)
OPD_THREADS = env.number("OPD_THREADS", 16)
# One connection a thread, and two for what runs beside them. Only `serve` turns it on: a command has one connection,
# and a test's threads each open and close their own.
OPD_POOL = {"min_size": 2, "max_size": OPD_THREADS + 2, "timeout": 10}

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "opd_engine.postgres",
        **(env.database(DATABASE_URL) if DATABASE_URL else {"NAME": "opd", "USER": "postgres", "OPTIONS": {}}),
        "CONN_MAX_AGE": 0,
    }
}
DATABASES["default"]["OPTIONS"] |= {"application_name": "opd", "prepare_threshold": 5}

# --- people and sign-in ---------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/desk/"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "opd_engine.sign_in.StaffOnly"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
# All desks of a hospital may share one address; wrong passwords are what is limited.
ACCOUNT_RATE_LIMITS = {"login": "300/m/ip", "login_failed": "100/5m/ip,10/5m/key"}
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_USER_DISPLAY = str
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
USERSESSIONS_TRACK_ACTIVITY = False
SESSION_COOKIE_AGE = int(timedelta(hours=14).total_seconds())
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

KNOX_TOKEN_MODEL = "accounts.Device"  # noqa: S105 (a model, not a secret)
REST_KNOX = {
    "AUTH_HEADER_PREFIX": "Bearer",
    "TOKEN_TTL": timedelta(days=30),
    # A refresh would be a write in every request.
    "AUTO_REFRESH": False,
}

# --- the API --------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.DeviceAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["common.api.parsing.BoundedJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "common.api.negotiation.OnlyRenderer",
    "DEFAULT_PAGINATION_CLASS": "common.api.paging.Paging",
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "rest_framework.filters.SearchFilter",
        "common.api.ordering.Ordering",
    ],
    "DEFAULT_SCHEMA_CLASS": "common.api.schema.Schema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    # Fuses that a busy desk or kiosk never meets.
    "DEFAULT_THROTTLE_CLASSES": ["common.api.throttling.DeviceThrottle", "common.api.throttling.AddressThrottle"],
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

SPECTACULAR_SETTINGS = {
    "TITLE": "OPD engine",
    "DESCRIPTION": "Tokens, queues and schedules of outpatients, for mobile clients, kiosks and other systems.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    # The readable page from the package beside it: no page needs the internet.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "POSTPROCESSING_HOOKS": ["drf_standardized_errors.openapi_hooks.postprocess_schema_enums"],
    # The codes of the framework's own errors have a name each, or the schema would number them.
    "ENUM_NAME_OVERRIDES": {
        name: f"drf_standardized_errors.openapi_serializers.{name}.choices"
        for name in (
            "ValidationErrorEnum",
            "ClientErrorEnum",
            "ErrorCode401Enum",
            "ErrorCode403Enum",
            "ErrorCode404Enum",
            "ErrorCode429Enum",
        )
    }
    | {
        "TokenStatusEnum": "tokens.states.Status.choices",
        "SourceEnum": "tokens.states.Source.choices",
        "EventKindEnum": "tokens.kinds.EventKind.choices",
        "SupplyKindEnum": "tokens.kinds.SupplyKind.choices",
        "SessionStatusEnum": "scheduling.states.SessionStatus",
        "SlotStatusEnum": "tokens.api.shapes.SLOT_STATUS",
        "BillStatusEnum": "billing.states.BillStatus",
        "ReceiptKindEnum": "billing.states.ReceiptKind",
        "LedgerKindEnum": "billing.states.LedgerKind",
        "LedgerAccountKindEnum": "billing.states.AccountKind",
        "ShiftReportKindEnum": "billing.api.shapes.REPORTS",
        "CashMovementKindEnum": "billing.states.MovementKind",
    },
}
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "common.api.exceptions.Handler",
    "EXCEPTION_FORMATTER_CLASS": "common.api.exceptions.Formatter",
    "ALLOWED_ERROR_STATUS_CODES": ["400", "401", "403", "404", "409", "412", "422", "428", "429", "503"],
    "ERROR_SCHEMAS": dict.fromkeys(["409", "412", "422", "428", "503"], "common.api.schema.RefusalSerializer"),
}

# --- jobs -----------------------------------------------------------------------------------------------------------

# Every app's jobs.py is loaded; periodic tasks are declared there.
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
PROCRASTINATE_WORKER_DEFAULTS = {"name": "opd", "concurrency": 1, "delete_jobs": "successful"}

# What a decision of the engine means in other apps: functions of an Outcome, in order, in the same transaction.
OPD_CONSEQUENCES: list[str] = ["reception.money.consequences.of_tokens"]
# What a movement of money means in other apps (docs/billing.md): before a bill is locked, and after it changed.
OPD_BILL_LOCKS: list[str] = ["reception.money.holding.sessions_of_bills"]
OPD_BILL_CONSEQUENCES: list[str] = ["reception.money.consequences.of_bill"]
OPD_MONEY_MOVED: list[str] = ["reception.money.consequences.of_money"]
# What stands beside the preview of a plan over REST: functions that are given the plan and who asks.
OPD_PREVIEWS = ["reception.money.previews.of_plan"]
# What keeps a doctor from being switched off: functions that count tokens ahead.
OPD_BEFORE_DEACTIVATE = ["tokens.queries.tokens_ahead"]
# Whether each process learns from consultations, and writes the estimates that were given, in a thread of its own.
OPD_WAITS_LEARN = True

# --- words, times, files --------------------------------------------------------------------------------------------

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("hi", _("Hindi")), ("ar", _("Arabic"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
PHONENUMBER_DEFAULT_REGION = "IN"
PHONENUMBER_DB_FORMAT = "E164"

STATIC_URL = "/static/"
STATIC_ROOT = OPD_VAR / "static"
STATICFILES_DIRS = [folder for folder in [BASE_DIR / "static"] if folder.is_dir()]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "opd_engine.static.PackedStorage"},
}
MEDIA_ROOT = OPD_VAR / "uploads"
MEDIA_URL = "/uploads/"

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

UNFOLD = {
    "SITE_TITLE": "OPD engine",
    "SITE_HEADER": "OPD engine",
    "SITE_URL": "/desk/",
    # The portal's petrol blue (static/css/tokens.css), from light to dark.
    "COLORS": {
        "primary": {
            "50": "oklch(97.5% .010 230)",
            "100": "oklch(95.5% .020 230)",
            "200": "oklch(89% .040 230)",
            "300": "oklch(80% .060 230)",
            "400": "oklch(70% .080 230)",
            "500": "oklch(58% .090 235)",
            "600": "oklch(44.5% .090 235)",
            "700": "oklch(38.5% .085 235)",
            "800": "oklch(33% .070 235)",
            "900": "oklch(27.5% .050 235)",
            "950": "oklch(21% .032 235)",
        }
    },
}

# --- safety ---------------------------------------------------------------------------------------------------------

X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
CSRF_FAILURE_VIEW = "reception.pages.patient.not_trusted"
if PRODUCTION:
    SECURE_SSL_REDIRECT = True
    # Probes of the machine itself speak plain HTTP.
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds())
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {"without_keys": {"()": "common.logs.WithoutKeys"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["without_keys"]}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        # A refusal is an answer, not news.
        "django.request": {"level": "ERROR"},
        "opd": {"level": "INFO"},
    },
}
