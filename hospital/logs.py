"""Structured logs: one JSON object a line, with a request id, without personal data.

Lines name rows by id. What people typed never gets here: no query strings (hospital.middleware.RequestLog), no
bodies, and of an exception only its class and where it happened, since a message of PostgreSQL quotes whole rows.
"""

import sys
import traceback

import structlog

QUIET = {
    "axes": "ERROR",  # its lines name accounts and addresses; AuditEvent keeps them
    "django.request": "ERROR",
    "django.security": "WARNING",
    "celery.worker.strategy": "WARNING",  # "received" and "succeeded" each five seconds would bury the rest
    "celery.app.trace": "WARNING",
    "celery.beat": "WARNING",
    "kombu": "WARNING",
    "amqp": "WARNING",
}


def exceptions_without_values(_logger, _name, event: dict) -> dict:
    """The classes of an exception and its causes, the constraint it hit, and the frames; not its words."""
    info = event.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info if isinstance(info, BaseException) else None
    if error is None:
        return event
    words = str(error)
    if words and words in str(event.get("event", "")):
        event["event"] = str(event["event"]).replace(repr(error), _name_of(error)).replace(words, _name_of(error))
    event["error"] = " < ".join(_name_of(cause) for cause in _chain(error))
    event["where"] = [
        f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)[-20:]
    ]
    return event


def _chain(error: BaseException) -> list[BaseException]:
    causes = []
    while error is not None and len(causes) < 5:
        causes.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return causes


def _name_of(error: BaseException) -> str:
    constraint = getattr(getattr(error, "diag", None), "constraint_name", None)
    return f"{type(error).__name__}({constraint})" if constraint else type(error).__name__


SHARED = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configuration(*, level: str) -> dict:
    """Settings for logging.config; also turns structlog's own loggers onto the same handler."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            _keep_exception,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": SHARED,
                "processors": [
                    exceptions_without_values,
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer(ensure_ascii=False, default=_by_class),
                ],
            },
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": "ERROR", "propagate": True},  # its lines hold query strings
            **{name: {"level": quiet} for name, quiet in QUIET.items()},
        },
    }


def _keep_exception(_logger, _name, event: dict) -> dict:
    """`exc_info=True` means the exception being handled now; the formatter may run later."""
    if event.get("exc_info") is True:
        event["exc_info"] = sys.exc_info()
    return event


def _by_class(thing) -> str:
    """What JSON can't hold is named by its class: a model's text would be a person's name."""
    return f"<{type(thing).__name__}>"
