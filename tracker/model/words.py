"""The words of the house: enums that log, database, JSON, explain and tests share."""

from __future__ import annotations

from enum import StrEnum


class Capability(StrEnum):
    """What a service's tracking can show; thresholds of silence follow it (facts/transit.md section 3)."""

    END_TO_END = "end_to_end"
    ARRIVAL_AND_DELIVERY = "arrival_and_delivery"
    EXPORT_ONLY = "export_only"


class OrderState(StrEnum):
    """Life of a marketplace order, as files and marketplaces tell it (R29)."""

    UNPAID = "unpaid"
    PAID = "paid"
    SHIPPED = "shipped"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class WindowSource(StrEnum):
    """Where the end of the delivery window comes from; an estimated end leads to a task only."""

    API = "api"
    TYPED = "typed"
    FILE = "file"
    ESTIMATED = "estimated"


class Mode(StrEnum):
    """How much a store lets the product do (D22)."""

    OBSERVE = "observe"
    APPROVE = "approve"
    LIVE = "live"


class ActionKind(StrEnum):
    """What a decision asks for. `nothing` is a decision too."""

    MESSAGE = "message"
    EXTENSION = "extension"
    REFUND = "refund"
    COMPENSATION = "compensation"
    TASK = "task"
    NOTHING = "nothing"


class Intent(StrEnum):
    """Purpose of an effect, the middle of its dedup key. A message's intent is its own slot, never an action's (D12)."""

    STAGE1 = "stage1"
    STAGE2 = "stage2"
    STAGE3 = "stage3"
    EXTENDED = "extended"
    REFUND_ISSUED = "refund_issued"
    LATE_ARRIVAL = "late_arrival"
    EXTENSION = "extension"
    REFUND = "refund"
    REFUND_TASK = "refund_task"
    COMPENSATION = "compensation"
    FORWARDER_INQUIRY = "forwarder_inquiry"
    BUYER_WAITING = "buyer_waiting"
    SUSPECT = "suspect"
    SERVICE_UNMATCHED = "service_unmatched"
    # the other slots of messages (facts/messages.md 2.2)
    PLACED = "placed"
    BOLETO_PENDING = "boleto_pending"
    TAX_NUMBER = "tax_number"
    CUSTOMS_DUTY = "customs_duty"
    SHIPPED = "shipped"
    DELAY = "delay"
    CUSTOMS = "customs"
    DUTIES = "duties"
    PICKUP = "pickup"
    STORAGE = "storage"
    DELIVERED = "delivered"
    NOT_FOUND_BY_BUYER = "not_found_by_buyer"
    REOPENED = "reopened"
    REVIEW = "review"
    DISPUTE = "dispute"
    LOST = "lost"
    CORRECTION = "correction"
    VIP = "vip"
    NUDGE = "nudge"
    # what a person does
    CHECK_ADDRESS = "check_address"
    DO_NOT_SHIP = "do_not_ship"
    SHIP_LATE = "ship_late"
    CONFIRM_SHIPMENT = "confirm_shipment"
    WINDOW_OPENS = "window_opens"
    CASE_ANSWER = "case_answer"
    CASE_EVIDENCE = "case_evidence"
    CASE_CLOSE = "case_close"
    PROBLEM = "problem"
    CERTIFICATE = "certificate"
    RESHIP = "reship"
    CLAIM_INQUIRY = "claim_inquiry"
    CLAIM_FOLLOW_UP = "claim_follow_up"
    RELEASE_FUNDS = "release_funds"
    ROUNDS_OVER = "rounds_over"


class Channel(StrEnum):
    """How an effect leaves the house. `register` writes a ledger row, `task` hands it to a person."""

    SMTP = "smtp"
    MAILDIR = "maildir"
    TASK = "task"
    REGISTER = "register"
    MARKETPLACE = "marketplace"
    """The marketplace's own API: an extension there, or a message."""
    WHATSAPP = "whatsapp"
    TELEGRAM = "telegram"


class OutboxState(StrEnum):
    """States of an outbox row (facts/engine.md 2.5)."""

    HELD = "held"
    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


class TaskState(StrEnum):
    """States of a person's task (facts/engine.md 2.5)."""

    OPEN = "open"
    IN_HAND = "in_hand"
    DONE = "done"
    DROPPED = "dropped"
    EXPIRED = "expired"


class HoldReason(StrEnum):
    """Why an outbox row waits for a person, or why `release()` lets it wait."""

    MONEY_NEEDS_APPROVAL = "money_needs_approval"
    MESSAGE_NEEDS_APPROVAL = "message_needs_approval"
    STORE_OBSERVES = "store_observes"
    FIRST_START = "first_start"
    STALE_STAGE = "stale_stage"
    PLAUSIBILITY = "plausibility"
    TIME_GUARD = "time_guard"
    RULES_WAIT = "rules_wait"
    RESTORED = "restored"


class Settle(StrEnum):
    """What a person says about a stage that a backlog left: it was done elsewhere, it is to speak after all, or never (D21)."""

    DONE = "done"
    SEND = "send"
    SKIP = "skip"


class Phase(StrEnum):
    """Phase of the journey that a compensation rule speaks of."""

    PRE_SCAN = "pre_scan"
    PICKUP = "pickup"
    IN_TRANSIT = "in_transit"
    ANY = "any"


class ClaimState(StrEnum):
    """States of a compensation claim against the carrier (facts/compensation.md section 4)."""

    DRAFT = "draft"
    READY = "ready"
    INQUIRY_OPEN = "inquiry_open"
    FILED = "filed"
    ACKNOWLEDGED = "acknowledged"
    WAITING_DOCUMENTS = "waiting_documents"
    APPROVED = "approved"
    APPROVED_PARTIAL = "approved_partial"
    REJECTED = "rejected"
    APPEALED = "appealed"
    PAID = "paid"
    OFFSET = "offset"
    CLOSED = "closed"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    WRITTEN_OFF = "written_off"
    REVERSED = "reversed"


class LossType(StrEnum):
    """What became of the goods (R86, R87, R88)."""

    LOST = "lost"
    SHORT = "short"
    DAMAGED = "damaged"
    DELAY = "delay"
    NOT_IN_WAREHOUSE = "not_in_warehouse"

    @property
    def arrives(self) -> bool:
        """Whether the parcel comes all the same: its delivery ends no such claim."""
        return self in {LossType.SHORT, LossType.DAMAGED, LossType.DELAY}


class Settlement(StrEnum):
    """How a carrier pays. A coupon is no cash: it is listed apart."""

    CASH = "cash"
    OFFSET = "offset"
    COUPON = "coupon"


class Remedy(StrEnum):
    """What a recommendation proposes; a person may choose another one (R3, R37, R84, R85, D7, D11)."""

    FULL_REFUND = "full_refund"
    PARTIAL_REFUND = "partial_refund"
    RESHIP = "reship"
    FORWARD = "forward"
    """The parcel is sent on by another carrier (R84)."""
    WAIT = "wait"

    @property
    def pays(self) -> bool:
        """Whether it gives the buyer money back: what is sent again or on costs the seller otherwise."""
        return self in _PAYING


_PAYING = frozenset({Remedy.FULL_REFUND, Remedy.PARTIAL_REFUND})


class Liable(StrEnum):
    """Who bears it (R14, R70)."""

    CARRIER = "carrier"
    SELLER = "seller"
    BUYER = "buyer"
    UNKNOWN = "unknown"


class DecisionReason(StrEnum):
    """Every reason a decision can have, "nothing, because ..." included. The same word in log, database, explain and tests."""

    # something is done
    STAGE_DUE = "stage_due"
    WINDOW_CLOSES_SOON = "window_closes_soon"
    WINDOW_ESTIMATED_CLOSES_SOON = "window_estimated_closes_soon"
    NOT_FOUND_CONFIRMED = "not_found_confirmed"
    NEVER_SCANNED = "never_scanned"
    SILENT_BEYOND_LIMIT = "silent_beyond_limit"
    STAGE3_NOT_ARRIVED = "stage3_not_arrived"
    WINDOW_CLOSES_UNARRIVED = "window_closes_unarrived"
    CARRIER_SAYS_LOST = "carrier_says_lost"
    CARRIER_SAYS_DAMAGED = "carrier_says_damaged"
    CARRIER_SAYS_MISDELIVERED = "carrier_says_misdelivered"
    ADDRESS_UNREACHABLE = "address_unreachable"
    PARCEL_EXCEPTION = "parcel_exception"
    CUSTOMS_WANTS_PROOF = "customs_wants_proof"
    DELIVERED_NOT_RECEIVED = "delivered_not_received"
    RETURNED_TO_SENDER = "returned_to_sender"
    SILENCE_REACHED_INVESTIGATE = "silence_reached_investigate"
    NO_FIRST_SCAN_YET = "no_first_scan_yet"
    DELIVERED_AFTER_REFUND = "delivered_after_refund"
    WINDOW_WAS_EXTENDED = "window_was_extended"
    MESSAGE_NOT_READ = "message_not_read"
    REFUND_WAS_PAID = "refund_was_paid"
    BUYER_WAITS_TOO_LONG = "buyer_waits_too_long"
    NUMBER_LOOKS_REUSED = "number_looks_reused"
    KNOWN_FROM_JOURNAL = "known_from_journal"
    SERVICE_NOT_MATCHED = "service_not_matched"
    ADVISORY_HOLDS = "advisory_holds"
    SEASON_SLOWS = "season_slows"
    HELD_BY_CUSTOMS = "held_by_customs"
    DUTIES_AWAIT_PAYMENT = "duties_await_payment"
    WAITS_TO_BE_COLLECTED = "waits_to_be_collected"
    STORAGE_ENDS_SOON = "storage_ends_soon"
    DELIVERY_CONFIRMED = "delivery_confirmed"
    DELIVERED_BUT_NOT_FOUND = "delivered_but_not_found"
    DELIVERY_TAKEN_BACK = "delivery_taken_back"
    REVIEW_DUE = "review_due"
    CASE_OPENED = "case_opened"
    LOSS_APPROVED = "loss_approved"
    VIP_MONTH = "vip_month"
    CORRECTED_BY_PERSON = "corrected_by_person"

    CASE_CAN_OPEN = "case_can_open"
    PAYMENT_PENDING = "payment_pending"
    TAX_NUMBER_MISSING = "tax_number_missing"
    DUTY_MAY_ARISE = "duty_may_arise"
    ADDRESS_INCOMPLETE = "address_incomplete"
    SHIP_BY_NEAR = "ship_by_near"
    CONFIRMATION_NEAR = "confirmation_near"
    ORDER_PLACED = "order_placed"
    ORDER_LEFT = "order_left"
    CASE_WANTS_ANSWER = "case_wants_answer"
    CASE_WANTS_EVIDENCE = "case_wants_evidence"
    SOLUTION_CARRIED_OUT = "solution_carried_out"
    DISPUTED_WITHOUT_TRACKING = "disputed_without_tracking"
    CASE_CHEAPER_REFUNDED = "case_cheaper_refunded"
    BUYER_SAYS_DAMAGED = "buyer_says_damaged"
    BUYER_SAYS_SHORT = "buyer_says_short"
    INQUIRY_DUE = "inquiry_due"
    INQUIRY_WAS_SENT = "inquiry_was_sent"
    CLAIM_CLOSES_FIRST = "claim_closes_first"
    ANSWER_OVERDUE = "answer_overdue"
    PAPERS_WANTED = "papers_wanted"
    STATEMENT_WANTED = "statement_wanted"
    APPEAL_OPEN = "appeal_open"
    PAYOUT_OVERDUE = "payout_overdue"
    CLAIM_TO_WITHDRAW = "claim_to_withdraw"
    CLAWBACK_DUE = "clawback_due"

    # nothing is done, because ...
    CASE_ANSWERED = "case_answered"
    CASE_CLOSED = "case_closed"
    LATE_AND_STILL = "late_and_still"
    LEFT_ALREADY = "left_already"
    NOT_YET_DUE = "not_yet_due"
    ALREADY_DONE = "already_done"
    SUPERSEDED_BY_LATER_STAGE = "superseded_by_later_stage"
    NO_DAY_ZERO = "no_day_zero"
    NO_SHIPMENT = "no_shipment"
    NOT_PAID = "not_paid"
    DELIVERED = "delivered"
    RECEIVED_BY_BUYER = "received_by_buyer"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"
    FINISHED = "finished"
    DISPUTE_OPEN = "dispute_open"
    OPTED_OUT = "opted_out"
    BUYER_WAITS = "buyer_waits"
    ON_HOLD = "on_hold"
    BEFORE_CUTOVER = "before_cutover"
    SKIPPED_BY_PERSON = "skipped_by_person"
    ROUNDS_USED_UP = "rounds_used_up"
    WAITING_FOR_FACTS = "waiting_for_facts"
    STILL_MOVING = "still_moving"
    IN_LAST_MILE = "in_last_mile"
    SILENCE_WITHIN_LIMIT = "silence_within_limit"
    SILENCE_IS_NORMAL = "silence_is_normal"
    NOT_FOUND_UNCONFIRMED = "not_found_unconfirmed"
    WAITS_FOR_BUYERS_ACTION = "waits_for_buyers_action"
    NO_WINDOW_END = "no_window_end"
    WINDOW_FAR = "window_far"
    WINDOW_OVER = "window_over"
    EXTENSIONS_USED_UP = "extensions_used_up"
    EXTENSION_FAILED = "extension_failed"
    NO_EXTENSION_THERE = "no_extension_there"
    SETTLED_BY_PLATFORM = "settled_by_platform"
    RECOMMENDATION_OPEN = "recommendation_open"
    RECOMMENDATION_REJECTED = "recommendation_rejected"
    MONEY_SETTLED = "money_settled"
    NOTHING_LEFT_TO_PAY = "nothing_left_to_pay"
    NO_CLAIM_RULE = "no_claim_rule"
    CLAIM_WINDOW_UNKNOWN = "claim_window_unknown"
    CLAIM_WINDOW_CLOSED = "claim_window_closed"
    CLAIM_OPEN = "claim_open"
    ATTEMPTS_USED_UP = "attempts_used_up"
    BELOW_INQUIRY_VALUE = "below_inquiry_value"
    TOO_LITTLE_TO_ASK = "too_little_to_ask"
    CLAIM_WINDOW_OPENED = "claim_window_opened"
    SCANNED_AT_LAST = "scanned_at_last"
    PAYS_NOTHING = "pays_nothing"
    NO_LOSS = "no_loss"
    SWITCHED_OFF = "switched_off"
    NOTHING_UNREAD = "nothing_unread"
    SUSPECT_NUMBER = "suspect_number"
    REPLACED = "replaced"
    SOURCE_DOWN = "source_down"
    SOURCE_THROTTLED = "source_throttled"
    SOURCE_NOT_READY = "source_not_ready"
    SOURCE_REFUSES = "source_refuses"
    NUMBER_REFUSED = "number_refused"
    SOURCE_STOPPED = "source_stopped"
    LAPSED = "lapsed"
    NO_LONGER_NEWS = "no_longer_news"
    ALREADY_REVIEWED = "already_reviewed"
    EVENT_OVER = "event_over"
