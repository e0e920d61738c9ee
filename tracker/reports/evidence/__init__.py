"""Evidence about an order: a record with times and hashes, rendered for those who decide at a marketplace (D10, R13, R78)."""

from tracker.reports.evidence.pack import Packed, TooLarge, archive, write_folder
from tracker.reports.evidence.page import page
from tracker.reports.evidence.picture import FontMissing
from tracker.reports.evidence.record import Record, record_of

__all__ = ["FontMissing", "Packed", "Record", "TooLarge", "archive", "page", "record_of", "write_folder"]
