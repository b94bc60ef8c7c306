"""Settings common to every installation, read from the environment. The defaults are safe ones."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import environ
import moneyed
from csp.constants import NONE, SELF

from portal.logs import configure as configure_logs
from portal.settings.database import database
from portal.settings.rest import *  # noqa: F403
from portal.settings.storage import *  # noqa: F403
from portal.settings.storage import results_storage
from portal.settings.work import *  # noqa: F403

# The unit of credit, beside the ISO currencies; before any model is loaded.
moneyed.add_currency("CRD", None, sub_unit=1_000_000, name="TEP credit", countries=[])

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parents[2]
VAR_DIR = Path(env("VAR_DIR", default=str(BASE_DIR / "var"))).resolve()

DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# The portal's own address, used where no request is at hand (mails, published records).
BASE_URL = env("BASE_URL", default="").rstrip("/")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "csp",
    "djmoney",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "people",
    "accounting",
    "providers",
    "catalogue_client",
    "thematic_apps",
    "jobs",
    "wps_proxy",
    "portal",
]

MIDDLEWARE = [
    "portal.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "portal.middleware.SecurityHeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.middleware.NulCookieMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "portal.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.middleware.NulMiddleware",
    "portal.middleware.PortalErrorMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
APPEND_SLASH = True

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
                "portal.context.portal",
            ],
            "builtins": ["portal.templatetags.portal", "portal.templatetags.prices"],
        },
    }
]

DATABASES = {"default": database("DATABASE_URL", f"sqlite:///{VAR_DIR}/portal.sqlite3")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Writers queue instead of failing; readers never wait. FULL: a commit survives a power cut.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # Recursive: else INSERT OR REPLACE deletes rows without asking the ledger's triggers.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        " PRAGMA recursive_triggers=ON;"
        # A usage message touches pages all over the indexes: they are kept (16 MB), and written
        # back once for many messages; until then they are safe in the journal (at 32 MB).
        " PRAGMA cache_size=-16000; PRAGMA wal_autocheckpoint=8000;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- people --------------------------------------------------------------------------------
AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = env("ACCOUNT_EMAIL_VERIFICATION", default="mandatory")
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_ADAPTER = "portal.accounts.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "portal.accounts.SocialAccountAdapter"
SOCIALACCOUNT_PROVIDERS = {}
if env("OIDC_SERVER_URL", default=""):
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "oidc",
                "name": env("OIDC_NAME", default="OpenID Connect"),
                "client_id": env("OIDC_CLIENT_ID"),
                "secret": env("OIDC_CLIENT_SECRET"),
                "settings": {"server_url": env("OIDC_SERVER_URL")},
            }
        ],
    }
# Browsers follow a form's redirect only to origins that the policy names.
OIDC_ORIGINS = [
    "{0.scheme}://{0.netloc}".format(urlsplit(address))
    for address in (env("OIDC_SERVER_URL", default=""), *env.list("OIDC_FORM_ORIGINS", default=[]))
    if address
]
# Local registration may be closed where an identity provider does it.
REGISTRATION_OPEN = env.bool("REGISTRATION_OPEN", default=True)

# Counts attempts to sign in; several processes need one that they share (rediscache://host:6379/1).
CACHES = {"default": env.cache("CACHE_URL", default="locmemcache://")}

# Encrypts stored secrets of providers and sources; empty: SECRET_KEY does.
FIELD_ENCRYPTION_KEY = env("FIELD_ENCRYPTION_KEY", default="")

# --- transport security --------------------------------------------------------------------
SECURE_SSL_REDIRECT = True
# Set only where a proxy in front sets X-Forwarded-Proto, X-Forwarded-For and X-Request-ID.
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# Whose address is behind a proxy: for the limits on sign-in attempts.
ALLAUTH_TRUSTED_PROXY_COUNT = int(BEHIND_PROXY)
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_HSTS_SECONDS = 63072000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "portal.views.csrf_failed"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", *env.list("MAP_IMAGE_ORIGINS", default=[])],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF, *OIDC_ORIGINS],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

# --- files and language --------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS: list[Path | tuple[str, Path]] = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "results": results_storage(VAR_DIR / "results"),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = VAR_DIR / "media"
RESULTS_ON_THEIR_WAY = VAR_DIR / "copying"
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=10)
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="portal@localhost")

# Refunds and corrections by hand above so many credits need a second operator.
ADJUSTMENT_APPROVAL_LIMIT = env("ADJUSTMENT_APPROVAL_LIMIT", default="100")
# A group's administrators may release what has waited for usage so long.
HOLD_RELEASE_DAYS = env.int("HOLD_RELEASE_DAYS", default=7)
ACCOUNTING_DIRECTORY = "portal.directory"
CURRENCIES = ("CRD", "EUR", "USD")
DEFAULT_CURRENCY = "CRD"

# --- outbound HTTP -------------------------------------------------------------------------
# Networks or host:port pairs that may be called although they are not public, e.g.
# "10.1.0.0/16" or "127.0.0.1:8001". Everything else that is not a public address is refused.
OUTBOUND_ALLOW = env.list("OUTBOUND_ALLOW", default=[])
# Of these, what users may name too (inputs by reference that the portal fetches, addresses that
# are told of a job's end): whoever may run something reaches what is there.
OUTBOUND_ALLOW_USERS = env.list("OUTBOUND_ALLOW_USERS", default=[])
OUTBOUND_PLAIN_HTTP = env.bool("OUTBOUND_PLAIN_HTTP", default=False)

# --- operations ----------------------------------------------------------------------------
# Networks that may read /metrics without signing in, e.g. "10.2.0.0/16"; operators always may.
METRICS_ALLOW = env.list("METRICS_ALLOW", default=[])
LOGGING_CONFIG = None  # portal.logs does it
configure_logs(
    level=env("LOG_LEVEL", default="INFO").upper(),
    form=env("LOG_FORMAT", default="json"),
    stream=env("LOG_STREAM", default="stdout"),
)
