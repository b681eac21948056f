"""Structured logs: one JSON object a line, with a request id, without personal data."""

import structlog

render = structlog.processors.JSONRenderer(ensure_ascii=False)
