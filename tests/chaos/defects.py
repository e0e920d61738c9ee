"""Mistakes that others made, built in on purpose: a harness that does not see them is none.

Each is what a careless daemon would do at its start with what the last one left behind.
"""

from __future__ import annotations

from collections.abc import Mapping

DEFECTS: Mapping[str, str] = {
    "resend": "UPDATE outbox SET state = 'pending', not_before = due_at WHERE state = 'sending'",
    "forget": "UPDATE outbox SET state = 'sent' WHERE state = 'sending'",
    "hide": "UPDATE outbox SET state = 'cancelled' WHERE state IN ('sending', 'unknown')",
}
"""Name -> what is done to the database before each start: a queue's "at least once"; one that acknowledges before it works;
a broom that sweeps doubts under the carpet."""
