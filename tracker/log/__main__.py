"""`python -m tracker.log > docs/events.md`."""

import sys

from tracker.log.docs import events_markdown

sys.stdout.write(events_markdown())
