"""Orders, shipments, dossiers, decisions: the pure values of the product (no I/O, no clock)."""

from tracker.model.dossier import Dossier
from tracker.model.effects import Case, Claim, ClaimMove, Considered, Decision, Effect, Verdict
from tracker.model.imported import ImportBatch, ImportOutcome, OrderFacts, Rank, Rejected, ShipmentFacts
from tracker.model.journey import Frame, Heard, Journey
from tracker.model.order import NotFound, Order, Scan, Shipment, Window
from tracker.model.outgoing import JournalEnd, OutboxRow, Outgoing, Pause, Release, ReleaseVerdict, Task, Totals
from tracker.model.words import (
    ActionKind,
    Capability,
    Channel,
    ClaimState,
    DecisionReason,
    HoldReason,
    Intent,
    Mode,
    OrderState,
    OutboxState,
    Phase,
    TaskState,
    WindowSource,
)

__all__ = [
    "ActionKind",
    "Capability",
    "Case",
    "Channel",
    "Claim",
    "ClaimMove",
    "ClaimState",
    "Considered",
    "Decision",
    "DecisionReason",
    "Dossier",
    "Effect",
    "Frame",
    "Heard",
    "HoldReason",
    "ImportBatch",
    "ImportOutcome",
    "Intent",
    "JournalEnd",
    "Journey",
    "Mode",
    "NotFound",
    "Order",
    "OrderFacts",
    "OrderState",
    "OutboxRow",
    "OutboxState",
    "Outgoing",
    "Pause",
    "Phase",
    "Rank",
    "Rejected",
    "Release",
    "ReleaseVerdict",
    "Scan",
    "Shipment",
    "ShipmentFacts",
    "Task",
    "TaskState",
    "Totals",
    "Verdict",
    "Window",
    "WindowSource",
]
