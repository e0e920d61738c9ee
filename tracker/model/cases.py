"""The words of cases: what was opened, why, what is advised, how it ended, whose word its date is."""

from __future__ import annotations

from enum import StrEnum


class CaseKind(StrEnum):
    """What sort of thing has a response deadline (R52, DESIGN "case")."""

    INQUIRY = "inquiry"
    """Item not received (INR)."""
    NOT_AS_DESCRIBED = "not_as_described"
    DISPUTE = "dispute"
    A_TO_Z = "a_to_z"
    CHARGEBACK = "chargeback"
    RETURN_REQUEST = "return_request"
    CANCEL_REQUEST = "cancel_request"
    BUYER_MESSAGE = "buyer_message"
    BAD_REVIEW = "bad_review"
    LOW_SCORE = "low_score"
    ACCOUNT_ALERT = "account_alert"
    """A mail of the platform itself: the account may be limited or closed (R43)."""

    @property
    def contested(self) -> bool:
        """Whether money is contested: such a case stops outreach and extensions (D15), a message or a review does not."""
        return self in _CONTESTED


_CONTESTED = frozenset({CaseKind.INQUIRY, CaseKind.NOT_AS_DESCRIBED, CaseKind.DISPUTE, CaseKind.A_TO_Z, CaseKind.CHARGEBACK})


class CaseReason(StrEnum):
    """Why the buyer, the bank or the platform opened it (R74, R80, R106, R9, R13, R14, R27)."""

    NOT_RECEIVED = "not_received"
    TRACKING_INVALID = "tracking_invalid"
    IN_TRANSIT = "in_transit"
    CUSTOMS = "customs"
    RETURNED_PARCEL = "returned_parcel"
    WRONG_ADDRESS = "wrong_address"
    NOT_AS_DESCRIBED = "not_as_described"
    DAMAGED = "damaged"
    SHORT = "short"
    RETURN_NOT_REFUNDED = "return_not_refunded"
    RETURN_REFUSED = "return_refused"
    STOLEN_CARD = "stolen_card"
    DOUBLE_CHARGE = "double_charge"
    SLOW_LOGISTICS = "slow_logistics"
    DUTY_CHARGED = "duty_charged"
    QUALITY = "quality"
    OTHER = "other"
    UNKNOWN = "unknown"


class CaseOutcome(StrEnum):
    """How a case ended (R10)."""

    AGREED = "agreed"
    REJECTED_WITH_PROPOSAL = "rejected_with_proposal"
    CANCELLED_BY_BUYER = "cancelled_by_buyer"
    WON = "won"
    LOST = "lost"
    ANSWERED = "answered"
    NO_ANSWER_NEEDED = "no_answer_needed"
    GONE_FROM_LIST = "gone_from_list"
    """A complete list of the marketplace no longer has it."""


class CaseAdvice(StrEnum):
    """What is advised in a case; a person decides (D11)."""

    REFUND_NOW = "refund_now"
    """Nothing shows that the parcel travels, and a ruling freezes the shop (R9)."""
    REFUND_EARLY = "refund_early"
    """It will be lost and is cheap, or the parcel has not left: refunding soon costs least (R41, R65)."""
    AGREE = "agree"
    REJECT = "reject"
    """With evidence, and a proposal (R9, R11)."""
    REPRESENT = "represent"
    """Put it before the platform or the bank with what was gathered (R78, R79)."""
    PROPOSE = "propose"
    """A remedy by the value of the goods (R40)."""
    VERIFY = "verify"
    """Nobody has answered about the parcel yet: look first (R9)."""
    GET_CERTIFICATE = "get_certificate"
    SHOW_REFUND = "show_refund"
    """It was paid back already: say so, with the reference."""
    CANCEL = "cancel"
    PERSUADE = "persuade"
    """To look at the goods first (R66)."""
    ANSWER = "answer"
    SOLVE = "solve"
    SAVE_ACCOUNT = "save_account"


class DateSource(StrEnum):
    """Whose word a date is: an API's always beats typed, file and table (D3)."""

    API = "api"
    TYPED = "typed"
    FILE = "file"
    TABLE = "table"
