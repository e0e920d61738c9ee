"""The log: one catalogue of events, structlog JSON lines to stderr, secrets and personal data masked."""

from tracker.log.docs import events_markdown
from tracker.log.events import Event
from tracker.log.redact import redact, register_secret
from tracker.log.setup import Format, check_catalogue, configure, get_logger

__all__ = ["Event", "Format", "check_catalogue", "configure", "events_markdown", "get_logger", "redact", "register_secret"]
