"""The shell that acts on the outbox."""

from tracker.dispatch.dispatcher import Dispatcher, DispatchReport
from tracker.dispatch.prepare import Preparer

__all__ = ["DispatchReport", "Dispatcher", "Preparer"]
