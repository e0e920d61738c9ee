"""Saving what files say: orders and parcels in any order, as often as you like (facts/file-formats.md sections 4 and 5).

Identity is (store, order number) and the tracking number with all its aliases, never the file. Every fact remembers whose word it
is (`stamps`): a higher rank wins, of the same rank the newer file; None never overwrites; a file that comes again keeps its first
place in the order of files, so that importing it twice changes nothing.
"""

from tracker.store.intake.saving import Intake

__all__ = ["Intake"]
