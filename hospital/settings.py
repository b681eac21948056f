"""One settings file. Everything comes from the environment and is checked at start."""

import os
from pathlib import Path

import dj_database_url
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from hospital import logs


def env(name: str, default: str | None = None) -> str:
    """A setting from the environment; a missing one without default stops the start, by name."""
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"{name} is not set. `make demo` sets it; see the README for a real installation.")
    return value


def flag(name: str, default: bool = False) -> bool:
    value = env(name, "1" if default else "0").lower()
    if value not in {"0", "1", "true", "false"}:
        raise ImproperlyConfigured(f"{name} must be 0 or 1, not {value!r}.")
    return value in {"1", "true"}


BASE_DIR = Path(__file__).resolve().parent.parent
HOSPITAL_HOME = Path(env("HOSPITAL_HOME", str(BASE_DIR / "var"))).resolve()
DEMO = flag("HOSPITAL_DEMO")  # plain http on one machine, development inbox, demo accounts
DEBUG = flag("DEBUG")

SECRET_KEY = env("SECRET_KEY")
FIELD_KEYS = [key for key in env("FIELD_KEYS").split(",") if key]  # Fernet keys, the newest first
HASH_KEY = env("HASH_KEY")
ALLOWED_HOSTS = env("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [origin for origin in env("CSRF_TRUSTED_ORIGINS", "").split(",") if origin]

INSTALLED_APPS = [
    "hospital.apps.HospitalConfig",
    "appointments.apps.AppointmentsConfig",
    "exams.apps.ExamsConfig",
    "referrals.apps.ReferralsConfig",
    "billing.apps.BillingConfig",
    "hospital.apps.HospitalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "pgtrigger",
    "pghistory",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "django_htmx",
    "django_structlog",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "hospital.programs.ProgramsTakeTheShortWay",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "hospital.middleware.DatabaseGone",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "hospital.middleware.RequestLog",
    "django_htmx.middleware.HtmxMiddleware",
    "pghistory.middleware.HistoryMiddleware",
    "hospital.middleware.DeviceMark",
    "hospital.middleware.StaffSecurity",
    "hospital.middleware.NothingHidden",
    "hospital.consent_gate.PrivacyGate",
    "hospital.middleware.ShowRefusals",
    "axes.middleware.AxesMiddleware",
]
PROGRAM_MIDDLEWARE = [  # of /api/: hospital/programs.py
    "hospital.middleware.DatabaseGone",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "hospital.middleware.RequestLog",
    "hospital.middleware.NothingHidden",
    "hospital.middleware.ShowRefusals",
]

ROOT_URLCONF = "hospital.urls"
WSGI_APPLICATION = "hospital.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "hospital.User"

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
            ]
        },
    }
]

# Database: persistent connections are worth 9×; jit and parallel plans only hurt short queries (booking.md).
DATABASES = {
    "default": dj_database_url.parse(
        env("DATABASE_URL", "postgres://localhost/hospital"),
        engine="hospital.postgres",
        conn_max_age=600,
        conn_health_checks=True,
    )
}
DATABASES["default"].setdefault("OPTIONS", {}).setdefault(
    "options", "-c jit=off -c max_parallel_workers_per_gather=0 -c lock_timeout=5s -c statement_timeout=60s"
)
DATABASES["default"]["OPTIONS"].setdefault("connect_timeout", 3)

REDIS_URL = env("REDIS_URL", "redis://localhost:6379/0")  # the broker
CACHE_URL = env("CACHE_URL", REDIS_URL)
CACHE = {"LOCATION": CACHE_URL, "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1}}
CACHES = {
    "default": {"BACKEND": "hospital.cache.ForgivingRedisCache", **CACHE},  # goes on without Redis
    "strict": {"BACKEND": "django.core.cache.backends.redis.RedisCache", **CACHE},  # raises: health, fail-closed limits
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 12 * 3600  # seconds: a shift; idle log-out comes first. Patients: AccountRule.session_days

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("简体中文")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
DATABASE_CLOCK = True  # booking asks the database what time it is (O7); tests stop the clock instead
USE_I18N = True

STATIC_URL = "static/"
STATIC_ROOT = HOSPITAL_HOME / "static"
REPORT_FILE_LIMIT = int(env("REPORT_FILE_LIMIT", str(10 * 1024 * 1024)))  # bytes of a report's PDF
REPORTS_ROOT = Path(env("REPORTS_ROOT", str(HOSPITAL_HOME / "reports"))).resolve()
# What looks for viruses in files from outside, e.g. "clamdscan --fdpass --no-summary": called with the file's path, it
# answers 0 (clean) or 1 (infected); with anything else the file goes on waiting. Empty: the house has none.
SCANNER_COMMAND = env("SCANNER_COMMAND", "")
REFERRALS_ROOT = Path(env("REFERRALS_ROOT", str(HOSPITAL_HOME / "referrals"))).resolve()
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "reports": {  # patients' reports: no address leads here, views ask who reads
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": REPORTS_ROOT, "base_url": None, "file_permissions_mode": 0o600},
    },
    "referrals": {  # attachments of referrals, served the same way
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": REFERRALS_ROOT, "base_url": None, "file_permissions_mode": 0o600},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Signing in: password, lock-out, second factor by role (RolePolicy), idle log-out (StaffSecurity).
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_FORMS = {
    "login": "hospital.forms.SignInForm",
    "change_password": "hospital.forms.NewPasswordForm",
    "reauthenticate": "hospital.forms.PasswordAgainForm",
}
ACCOUNT_ADAPTER = "hospital.signin.HouseAccountAdapter"  # patients by phone and code: hospital/phone_signin.py
ACCOUNT_SESSION_REMEMBER = False  # the cookie ends with the browser
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_PREVENT_ENUMERATION = True
# Courtesy limits in the cache, lost without Redis. What must hold is axes below, in PostgreSQL.
ACCOUNT_RATE_LIMITS = {"login": "300/m/ip", "login_failed": "60/m/ip,20/300s/key"}
MFA_ADAPTER = "hospital.signin.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "hospital.forms.CodeForm",
    "reauthenticate": "hospital.forms.CodeAgainForm",
    "activate_totp": "hospital.forms.SetUpCodeForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.5  # hours
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # one desk's mistyping doesn't lock the account elsewhere
AXES_LOCKOUT_CALLABLE = "hospital.views.account.locked_out"
AXES_CLIENT_IP_CALLABLE = "hospital.addresses.client_address"
AXES_HTTP_RESPONSE_CODE = 429
AXES_DISABLE_ACCESS_LOG = True  # AuditEvent keeps sign-ins
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# Programs (/api/). hospital/api/ says what is behind the names.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["hospital.api.authentication.BearerToken"],
    "DEFAULT_PERMISSION_CLASSES": ["hospital.api.authentication.InScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["hospital.api.parsing.StrictJson"],
    "DEFAULT_PAGINATION_CLASS": "hospital.api.pagination.Keyset",
    "DEFAULT_FILTER_BACKENDS": ["hospital.api.filters.Filters"],
    "DEFAULT_SCHEMA_CLASS": "hospital.api.schema.HospitalSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "hospital.api.answers.handle",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
    "PAGE_SIZE": 50,
}
API_BODY_LIMIT = 262_144  # bytes; a longer body is refused by its Content-Length, unread
API_FILE_LIMIT = 20 * 2**20  # bytes, where a file itself is the body
API_FILES = r"/api/v1/referrals/[0-9]+/attachments/"
API_RATE = [int(part) for part in env("API_RATE", "30/60").split("/")]  # an account's bookings and changes / seconds
SPECTACULAR_SETTINGS = {
    "TITLE": "预约挂号 Appointments",
    "DESCRIPTION": "Departments, doctors, numbers (号源) and bookings (预约) for programs. Guide: docs/api.md.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SORT_OPERATIONS": False,
    "PREPROCESSING_HOOKS": ["appointments.api.described.add_hot", "hospital.api.schema.only_version_one"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "appointments.api.described.add_components",
        "hospital.api.schema.finish",
    ],
    "ENUM_NAME_OVERRIDES": {
        "AppointmentStatus": "appointments.models.Appointment.Status",
        "ReferralStatus": "referrals.models.Referral.Status",
        "ScheduleStatus": "appointments.models.Schedule.Status",
    },
}

# Only what this origin serves, nothing inline, no frames.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
CSRF_FAILURE_VIEW = "hospital.views.errors.stale_page"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not (DEMO or DEBUG)
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = not (DEMO or DEBUG)
SECURE_HSTS_SECONDS = 0 if DEMO or DEBUG else 31536000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not (DEMO or DEBUG)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if flag("BEHIND_PROXY") else None
SECURE_REDIRECT_EXEMPT = [r"^healthz/"]
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # a device's page asks for the minutes of every way to examine of the house

# Jobs. A lost broker must not hold up a request: publishing is best effort, beat finds what was missed.
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = TIME_ZONE
CELERY_TASK_TIME_LIMIT = 1800
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "max_retries": 0,
    "visibility_timeout": 3600,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(HOSPITAL_HOME / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    # hospital/heartbeats.py; a sign of life that waited half a minute for a worker says nothing any more
    "heartbeat": {"task": "hospital.tasks.heartbeat", "schedule": 5, "options": {"expires": 30}},
    # Jobs find their own work: what a dead worker did not take expires, the next round does it all.
    "deliver": {"task": "hospital.tasks.deliver_facts", "schedule": 5, "options": {"expires": 5}},
    "send": {"task": "hospital.tasks.send_messages", "schedule": 5, "options": {"expires": 5}},
    "push": {"task": "hospital.tasks.push_events", "schedule": 5, "options": {"expires": 5}},
    "generate": {
        "task": "appointments.tasks.lay_out_schedules",
        "schedule": crontab(hour=1, minute=30),
        "options": {"expires": 6 * 3600},
    },
    "release": {"task": "appointments.tasks.release_numbers", "schedule": crontab(), "options": {"expires": 60}},
    "share": {"task": "appointments.tasks.follow_up_supply", "schedule": crontab(), "options": {"expires": 60}},
    "lapse": {"task": "appointments.tasks.lapse_holds", "schedule": crontab(), "options": {"expires": 60}},
    "noshow": {"task": "appointments.tasks.mark_noshows", "schedule": crontab(), "options": {"expires": 60}},
    "stops": {"task": "appointments.tasks.follow_up_stops", "schedule": crontab(), "options": {"expires": 60}},
    "waitlist": {"task": "appointments.tasks.follow_up_waitlist", "schedule": crontab(), "options": {"expires": 60}},
    "remind": {
        "task": "appointments.tasks.remind_patients",
        "schedule": crontab(minute="*/5"),
        "options": {"expires": 300},
    },
    "remind-exams": {
        "task": "exams.tasks.remind_of_exams",
        "schedule": crontab(minute="2-59/5"),
        "options": {"expires": 300},
    },
    "imports": {"task": "appointments.tasks.go_on_with_imports", "schedule": 10, "options": {"expires": 10}},
    "retime": {"task": "appointments.tasks.go_on_retiming", "schedule": 10, "options": {"expires": 10}},
    "publish": {"task": "appointments.tasks.go_on_publishing", "schedule": 10, "options": {"expires": 10}},
    "exam_holds": {"task": "exams.tasks.lapse_exam_holds", "schedule": crontab(), "options": {"expires": 60}},
    "exam_noshows": {"task": "exams.tasks.mark_exam_noshows", "schedule": crontab(), "options": {"expires": 60}},
    "downtimes": {"task": "exams.tasks.follow_up_downtimes", "schedule": crontab(), "options": {"expires": 60}},
    "devices": {
        "task": "exams.tasks.lay_out_devices",
        "schedule": crontab(hour=1, minute=50),
        "options": {"expires": 6 * 3600},
    },
    "critical": {"task": "exams.tasks.follow_up_critical", "schedule": crontab(), "options": {"expires": 60}},
    "report_files": {
        "task": "exams.tasks.tidy_report_files",
        "schedule": crontab(hour=3, minute=40),
        "options": {"expires": 6 * 3600},
    },
    "reconcile": {"task": "billing.tasks.reconcile", "schedule": crontab(minute=25), "options": {"expires": 1800}},
    "dun": {"task": "billing.tasks.dun", "schedule": crontab(hour="9-20", minute=27), "options": {"expires": 3600}},
    "money": {"task": "billing.tasks.ask_gateways", "schedule": 20, "options": {"expires": 20}},
    "scan": {"task": "referrals.tasks.scan_attachments", "schedule": 20, "options": {"expires": 20}},
    "escalate-referrals": {"task": "referrals.tasks.escalate_referrals", "schedule": 60, "options": {"expires": 60}},
    "remind-admissions": {
        "task": "referrals.tasks.remind_of_admissions",
        "schedule": crontab(hour="9-20", minute=12),
        "options": {"expires": 3600},
    },
    "attachments": {
        "task": "referrals.tasks.tidy_attachments",
        "schedule": crontab(hour=3, minute=50),
        "options": {"expires": 6 * 3600},
    },
    "duplicates": {
        "task": "hospital.tasks.find_duplicates",
        "schedule": crontab(hour=2, minute=40),
        "options": {"expires": 6 * 3600},
    },
    "forget_drafts": {
        "task": "referrals.tasks.forget_drafts",
        "schedule": crontab(hour=3, minute=30),
        "options": {"expires": 6 * 3600},
    },
    "tidy": {"task": "hospital.tasks.tidy", "schedule": crontab(hour=3, minute=10), "options": {"expires": 6 * 3600}},
}

# Messages. Without a gateway SMS wait and nothing is pretended; the demo's shows them on /inbox/.
SMS_GATEWAY = env("SMS_GATEWAY", "hospital.channels.development.take" if DEMO else "")

# Under which address patients find the house, e.g. https://yuyue.example.cn: links in SMS. Empty: they carry none.
PUBLIC_URL = env("PUBLIC_URL", f"http://{env('WEB_BIND', '127.0.0.1:8000')}" if DEMO else "").rstrip("/")

# The merchant's accounts of the houses with WeChat Pay and Alipay: a TOML file, see billing/gateways/merchants.py and
# docs/payment.md. Empty: money is taken by hand only. PUBLIC_URL is where the gateways send their notices.
PAYMENT_MERCHANTS = env("PAYMENT_MERCHANTS", "")

# The houses' links to the insurance: a TOML file, see billing/gateways/links.py and docs/insurance.md. Empty: patients
# pay all and are reimbursed elsewhere.
INSURANCE_LINKS = env("INSURANCE_LINKS", "")

# The houses' accounts at the finance platform that numbers receipts: a TOML file, see billing/gateways/platforms.py and
# docs/receipts.md. Empty: the window prints slips without a number.
RECEIPT_LINKS = env("RECEIPT_LINKS", "")

# Webhooks (docs/integration.md). Inner networks that may be their target, e.g. the HIS's: 10.8.0.0/16,192.168.5.20/32
WEBHOOK_NETWORKS = [text for text in env("WEBHOOK_NETWORKS", "127.0.0.0/8,::1/128" if DEMO else "").split(",") if text]
WEBHOOK_PLAIN_HTTP = DEMO

LOGGING = logs.configuration(level=env("LOG_LEVEL", "INFO"))
