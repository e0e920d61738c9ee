"""Worksheets that come back filled in: read, looked at line by line on today's facts, decided through the desk's own doors."""

from tracker.desk.worksheet.became import Asking, Became, Fate, Told
from tracker.desk.worksheet.deciding import decide
from tracker.desk.worksheet.problem import RULED_OUT, NotTaken
from tracker.desk.worksheet.reading import Filled, Form, read

__all__ = ["RULED_OUT", "Asking", "Became", "Fate", "Filled", "Form", "NotTaken", "Told", "decide", "read"]
