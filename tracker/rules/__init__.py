"""The compiled rules: what tracker.config builds from TOML and tracker.policy reads.

Pure values: no parsing, no defaults of money. Days are calendar days unless a name says `biz` (working days). Every rule
carries the id under which an override, `explain`, the log and the tests know it.
"""

from tracker.rules.cases import CasePolicy, CaseRule
from tracker.rules.claims import ClaimSheet, CompensationRule, Timing
from tracker.rules.manners import LintList, Manners
from tracker.rules.markets import Evidence, Extension, Marketplace, Store
from tracker.rules.notices import Notices
from tracker.rules.preparing import Preparing
from tracker.rules.quiet import QuietHours
from tracker.rules.remedies import Liability, PartialRule, RemedyRule, within
from tracker.rules.times import TimeRule
from tracker.rules.transit import (
    STAGES,
    Carrier,
    Learned,
    NumberHint,
    PrefixCapability,
    Profile,
    Season,
    Service,
    Silence,
    Untrackable,
)
from tracker.rules.whole import Rules

__all__ = [
    "STAGES",
    "Carrier",
    "CasePolicy",
    "CaseRule",
    "ClaimSheet",
    "CompensationRule",
    "Evidence",
    "Extension",
    "Learned",
    "Liability",
    "LintList",
    "Manners",
    "Marketplace",
    "Notices",
    "NumberHint",
    "PartialRule",
    "PrefixCapability",
    "Preparing",
    "Profile",
    "QuietHours",
    "RemedyRule",
    "Rules",
    "Season",
    "Service",
    "Silence",
    "Store",
    "TimeRule",
    "Timing",
    "Untrackable",
    "within",
]
