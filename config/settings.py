"""
Every setting, read from the environment alone.

`TENURE_PROFILE=embedded` runs everything on this machine (own PostgreSQL, filesystem broker, generated keys). Without
it nothing has an unsafe default: a missing value stops the start with a sentence that says how to mend it.
"""

from datetime import timedelta
from pathlib import Path

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

from config import logs
from config.look import LOOK
from config.readers import read_boolean, read_choice, read_database, read_integer, read_list, read_secret, read_text
from config.schedule import SCHEDULE
from foundation.embedded import layout as embedded_layout

BASE_DIR = Path(__file__).resolve().parent.parent

PROFILE = read_choice("TENURE_PROFILE", choices=("production", "embedded"), default="production")
EMBEDDED = PROFILE == "embedded"
EMBEDDED_LAYOUT = embedded_layout.locate(BASE_DIR) if EMBEDDED else None

DEBUG = False
SECRET_KEY = read_secret("SECRET_KEY", generated_by=EMBEDDED_LAYOUT)
SECRETS_KEYS = read_list("SECRETS_KEYS", default=[])
PUBLIC_URL = read_text("PUBLIC_URL", default="http://127.0.0.1:8000" if EMBEDDED else None)
ALLOWED_HOSTS = read_list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"] if EMBEDDED else None)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
CSRF_FAILURE_VIEW = "foundation.web.errors.csrf_failure"
# Addresses inside the house that outgoing requests may reach, as host:port.
HTTP_ALLOWED_INTERNAL_HOSTS = read_list("HTTP_ALLOWED_INTERNAL_HOSTS", default=[])
# How often a ticket of an open change is read from its system, and for how long what was read counts as an approval.
TICKET_READ_MINUTES = read_integer("TICKET_READ_MINUTES", default=5, minimum=1, maximum=60)
TICKET_FRESH_MINUTES = read_integer(
    "TICKET_FRESH_MINUTES", default=15, minimum=TICKET_READ_MINUTES + 1, maximum=24 * 60
)

# The log's name, the first line of its checkpoints; and its keys, of which the secret ones are the sealer's alone.
LEDGER_ORIGIN = read_text("LEDGER_ORIGIN", default=f"{PUBLIC_URL.partition('://')[2].strip('/')}/ledger")
LEDGER_SIGNING_KEYS = read_list("LEDGER_SIGNING_KEYS", default=[])
LEDGER_VERIFIER_KEYS = read_list("LEDGER_VERIFIER_KEYS", default=[])
# Where its checkpoints go, as URLs, and how often at most; directories have the newest at once.
LEDGER_COPIES = read_list(
    "LEDGER_COPIES", default=[f"file://{EMBEDDED_LAYOUT.home / 'checkpoints'}"] if EMBEDDED_LAYOUT else []
)
LEDGER_COPY_MINUTES = read_integer("LEDGER_COPY_MINUTES", default=60, minimum=1, maximum=7 * 24 * 60)
# A file of rules for evidence packs instead of the one that comes with the program; how many events one may hold, and
# how many bytes.
EVIDENCE_RULES = read_text("EVIDENCE_RULES", default="")
EVIDENCE_PACK_EVENTS = read_integer("EVIDENCE_PACK_EVENTS", default=100_000, minimum=100, maximum=1_000_000)
EVIDENCE_PACK_MEBIBYTES = read_integer("EVIDENCE_PACK_MEBIBYTES", default=512, minimum=1, maximum=2047)

# The role that serves owns nothing; the role that migrates is configured only where migrations run.
# A named server is the only one: both roles are on it, or the one that migrates is not known here.
_own_server = None if read_text("DATABASE_URL", default="") else EMBEDDED_LAYOUT
DATABASES = {"default": read_database("DATABASE_URL", role="tenure_app", embedded=_own_server)}
_owner = read_database("DATABASE_OWNER_URL", role="tenure_owner", embedded=_own_server, required=False)
if _owner:
    DATABASES["owner"] = _owner | {"TEST": {"MIRROR": "default"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "foundation",
    "audit",
    "approvals",
    "entitlements",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "guardian",
    "simple_history",
    "django_htmx",
    "csp",
    "axes",
    "django_structlog",
]

MIDDLEWARE = [
    "foundation.web.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "foundation.web.csp.TenureCSPMiddleware",
    "foundation.web.text.StorableTextMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "foundation.web.timezone.ReaderTimeZoneMiddleware",
    "axes.middleware.AxesMiddleware",
    "audit.reads.middleware.ReadsMiddleware",
    "audit.copies.middleware.LedgerMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
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

AUTH_USER_MODEL = "foundation.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ANONYMOUS_USER_NAME = None  # guardian: nobody who is not signed in holds a grant
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"
AXES_VERBOSE = False
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]

LANGUAGE_CODE = "en-us"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
# The zone in which people read instants until they have chosen their own.
READER_TIME_ZONE = read_text("READER_TIME_ZONE", default="UTC")

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Files that people attach to change requests.
ATTACHMENT_MEBIBYTES = read_integer("ATTACHMENT_MEBIBYTES", default=10, minimum=1, maximum=100)
ATTACHMENTS_PER_REQUEST = read_integer("ATTACHMENTS_PER_REQUEST", default=50, minimum=1, maximum=1000)
# A form with a file in it may be a little larger than the file; what is larger is refused before it is read.
UPLOAD_BYTES = (ATTACHMENT_MEBIBYTES + 1) * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "foundation.web.uploads.BoundedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
# How long an emergency permit lasts, and how long its review may take unless a policy says less.
EMERGENCY_PERMIT_MINUTES = read_integer("EMERGENCY_PERMIT_MINUTES", default=240, minimum=5, maximum=240)
EMERGENCY_REVIEW_HOURS = read_integer("EMERGENCY_REVIEW_HOURS", default=48, minimum=1, maximum=720)

SECURE = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if read_boolean("BEHIND_PROXY", default=False) else None
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
X_FRAME_OPTIONS = "DENY"
# unfold's Alpine build evaluates expressions and styles inline: under /admin/ only, see foundation/web/csp.py.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
ADMIN_CONTENT_SECURITY_POLICY = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}

UNFOLD = LOOK
FORMAT_MODULE_PATH = "config.formats"
# Lockouts are in the log; their own pages would delete records.
AXES_ENABLE_ADMIN = False

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "knox.auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["foundation.api.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "foundation.api.pagination.CursorPages",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "foundation.api.schema.ProblemAutoSchema",
    "EXCEPTION_HANDLER": "foundation.api.problems.answer",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
REST_KNOX = {
    "TOKEN_TTL": timedelta(days=90),
    "AUTH_HEADER_PREFIX": "Bearer",
    "TOKEN_PREFIX": "tnr_",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tenure",
    "DESCRIPTION": "Registry of entitlements, and the change control through which every edit passes.",
    "VERSION": "1",
    "OAS_VERSION": "3.0.3",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1/",
    # Payloads and records name the same choices in two dialects: told where they stand, they need no shared names.
    "POSTPROCESSING_HOOKS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
}

CELERY_BROKER_URL = read_text("CELERY_BROKER_URL", default="filesystem://localhost" if EMBEDDED else None)
# Longer than any task may take (prefork ends it), so that a broker never hands out a task twice while it runs.
BROKER_VISIBILITY_SECONDS = 3600
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {}
if CELERY_BROKER_URL.startswith(("redis://", "rediss://")):
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": BROKER_VISIBILITY_SECONDS}
elif CELERY_BROKER_URL.startswith("filesystem://") and EMBEDDED_LAYOUT:
    # A pair of folders: messages, and which queue hears which exchange.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(EMBEDDED_LAYOUT.broker_messages),
        "data_folder_out": str(EMBEDDED_LAYOUT.broker_messages),
        "control_folder": str(EMBEDDED_LAYOUT.broker_queues),
        "polling_interval": 0.1,
    }
# A worker takes whatever its queue holds: installations that share a broker each need a queue of their own.
CELERY_TASK_DEFAULT_QUEUE = read_text("CELERY_QUEUE", default="tenure")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 600
CELERY_TASK_TIME_LIMIT = 660
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_BEAT_SCHEDULE = SCHEDULE
# Kept in memory: its bells ring at least hourly, and a file is one more thing that a killed beat can leave broken.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"

# After how many days an open change that nobody goes on with is closed; its author is told a week before.
EXPIRE_DRAFTS_AFTER_DAYS = read_integer("EXPIRE_DRAFTS_AFTER_DAYS", default=90, minimum=8, maximum=3650)
EXPIRE_REVIEWS_AFTER_DAYS = read_integer("EXPIRE_REVIEWS_AFTER_DAYS", default=45, minimum=8, maximum=3650)
EXPIRE_APPROVALS_AFTER_DAYS = read_integer("EXPIRE_APPROVALS_AFTER_DAYS", default=30, minimum=8, maximum=3650)
# How many days an applied change has until somebody has to have verified it.
VERIFICATION_DAYS = read_integer("VERIFICATION_DAYS", default=7, minimum=1, maximum=366)

DJANGO_STRUCTLOG_CELERY_ENABLED = True
LOG_LEVEL = read_choice("LOG_LEVEL", choices=("DEBUG", "INFO", "WARNING", "ERROR"), default="INFO")
LOGGING = logs.arrange(level=LOG_LEVEL, for_people=EMBEDDED)

EMAIL_BACKEND = read_text(
    "EMAIL_BACKEND",
    default="django.core.mail.backends.filebased.EmailBackend"
    if EMBEDDED
    else "django.core.mail.backends.smtp.EmailBackend",
)
EMAIL_FILE_PATH = str(EMBEDDED_LAYOUT.mail) if EMBEDDED_LAYOUT else None
EMAIL_HOST = read_text("EMAIL_HOST", default="localhost")
EMAIL_PORT = read_integer("EMAIL_PORT", default=25, minimum=1, maximum=65535)
DEFAULT_FROM_EMAIL = read_text("DEFAULT_FROM_EMAIL", default="tenure@localhost")
