"""What people do: approve and reject, take and close tasks, settle doubtful sends, release holds, tell facts from outside.

The same functions serve every way in (command line, worksheets, pages). Whatever cannot be done is a `Refused` of this room or a
`StoreError`, each with a sentence for eyes.
"""

from tracker.desk.batch import Outcome, each
from tracker.desk.errors import NotNamed, Refused

__all__ = ["NotNamed", "Outcome", "Refused", "each"]
