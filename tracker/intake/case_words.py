"""How lists of cases name their columns, kinds, reasons and states: our own layout, and the marketplaces' words.

Sources: facts/marketplaces.md (fields of each API), the marketplaces' own back offices in English and Chinese. All normalised.
"""

from __future__ import annotations

from collections.abc import Mapping

from tracker.model import CaseKind, CaseOutcome, CaseReason

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "order": (
        *("order", "order number", "order no", "order no.", "order id", "order-id", "order_id", "order_no", "orderid"),
        *("order_sn", "tid", "resource_id", "disputed_transaction_id", "订单", "订单号", "订单编号", "交易编号"),
    ),
    "case": (
        *("case", "case id", "case_id", "caseid", "id", "issue_id", "issue id", "inquiry id", "inquiryid"),
        *("inquiry_id", "dispute_id", "dispute id", "claim id", "claim_id", "payment_dispute_id", "paymentdisputeid"),
        *("return_sn", "return id", "refund_id", "纠纷号", "纠纷编号", "纠纷id", "退款编号", "售后单号", "案件号"),
    ),
    "kind": (
        *("kind", "type", "case type", "case_type", "casetype", "claim type", "dispute type", "类型", "纠纷类型"),
        *("案件类型", "售后类型"),
    ),
    "reason": (
        *("reason", "reason_id", "issue reason", "issue_reason", "issuereason", "dispute reason", "claim reason"),
        *("return reason", "reason code", "reason_code", "dispute_reason", "纠纷原因", "原因", "退款原因", "申请原因"),
    ),
    "opened": (
        *("opened", "opened at", "opened on", "created", "create_time", "created at", "creation date", "creationdate"),
        *("date_created", "gmt_create", "open date", "open_date", "claim date", "chargeback date"),
        *("return request date", "创建时间", "发起时间", "申请时间", "纠纷时间", "开启时间"),
    ),
    "due": (
        *("due", "due date", "due_date", "respond by", "respond_by", "respondbydate", "respond by date", "reply by"),
        *("sellermakeitrightbydate", "seller_response_due_date", "return_seller_due_date", "timeout"),
        *("refund_remind_timeout.timeout", "refund_remind_timeout", "截止时间", "响应截止", "回复截止", "处理截止时间"),
        *("超时时间",),
    ),
    "evidence_due": ("evidence due", "evidence_due", "evidence by", "seller_evidence_deadline", "举证截止", "举证截止时间"),
    "amount": (
        *("amount", "claim amount", "claimamount", "dispute_amount", "dispute amount", "refund_amount"),
        *("refund amount", "disputed amount", "chargeback amount", "refund_fee", "金额", "退款金额", "纠纷金额"),
        *("索赔金额",),
    ),
    "currency": ("currency", "currency code", "currency_code", "refund_amount_currency", "币种", "货币"),
    "status": (
        *("status", "state", "case status", "issue_status", "issue status", "inquiry status", "inquirystatus"),
        *("dispute_state", "dispute status", "claim status", "return status", "状态", "纠纷状态", "处理状态"),
    ),
    "outcome": ("outcome", "resolution", "result", "dispute_outcome", "结果", "处理结果"),
    "parcel": ("parcel", "tracking number", "tracking no", "tracking_number", "shipment", "运单号", "物流单号", "快递单号"),
    "note": ("note", "notes", "remark", "remarks", "备注"),
}
"""Column -> what it may be called. `order` has to be there; `kind`, or --kind says it for the whole file."""

LEFT_OUT = frozenset(
    {
        *("store", "shop", "店铺", "buyer", "buyer_login_id", "buyer name", "buyer username", "买家", "product", "item", "sku"),
        *("title", "商品", "商品名称", "country", "quantity", "modified", "gmt_modified", "update_time", "last_updated"),
        *("last updated", "links", "stage", "dispute_life_cycle_stage", "dispute_channel", "line", "reason why"),
    }
)
"""Columns of marketplaces' lists that say nothing about a deadline: read over."""


KINDS: Mapping[str, CaseKind] = {
    word.strip(): kind
    for kind, words in {
        CaseKind.INQUIRY: "inquiry|inr|item not received|item not received inquiry|item_not_received|未收到货|未收到物品",
        CaseKind.NOT_AS_DESCRIBED: (
            "not as described|not_as_described|snad|inad|significantly not as described|货不对版|描述不符"
        ),
        CaseKind.DISPUTE: "dispute|issue|mediations|mediation|claim|paypal dispute|internal|纠纷|争议|平台纠纷",
        CaseKind.A_TO_Z: "a_to_z|a-to-z|a to z|a-z|atoz|a-to-z claim|a-to-z guarantee claim|a-to-z索赔|亚马逊索赔",
        CaseKind.CHARGEBACK: "chargeback|charge back|payment dispute|payment_dispute|external|拒付|信用卡拒付",
        CaseKind.RETURN_REQUEST: (
            "return_request|return request|return|return_and_refund|refund request|退货|退货申请|退货退款|仅退款"
        ),
        CaseKind.CANCEL_REQUEST: "cancel_request|cancel request|cancel|cancellation|取消|取消申请|取消订单",
        CaseKind.BUYER_MESSAGE: "buyer_message|buyer message|message|站内信|买家消息|留言",
        CaseKind.BAD_REVIEW: "bad_review|bad review|negative feedback|negative review|feedback|差评|中差评",
        CaseKind.LOW_SCORE: "low_score|low score|dsr|低分|低评分",
        CaseKind.ACCOUNT_ALERT: "account_alert|account alert|account health|账号警告|账户异常",
    }.items()
    for word in words.split("|")
}

REASONS: Mapping[str, CaseReason] = {
    word.strip(): reason
    for reason, words in {
        CaseReason.NOT_RECEIVED: (
            "not_received|not received|item not received|merchandise_or_service_not_received|inr|pnr|未收到货|没收到货"
        ),
        CaseReason.TRACKING_INVALID: (
            "tracking_invalid|tracking invalid|cannot find tracking information|no tracking information|"
            "tracking number invalid|查不到物流信息|运单号无法查询|无物流信息"
        ),
        CaseReason.IN_TRANSIT: (
            "in_transit|in transit|still in transit|package is still in transit|运输途中|仍在运输途中|货物仍然在运输途中"
        ),
        CaseReason.CUSTOMS: "customs|customs problem|held by customs|customs seizure|海关扣关|扣关",
        CaseReason.RETURNED_PARCEL: "returned_parcel|returned parcel|package returned|returned to sender|包裹退回|退回",
        CaseReason.WRONG_ADDRESS: "wrong_address|wrong address|sent to wrong address|发错地址|地址错误",
        CaseReason.NOT_AS_DESCRIBED: (
            "not_as_described|not as described|merchandise_or_service_not_as_described|snad|inad|pdd|描述不符|货不对版"
        ),
        CaseReason.DAMAGED: "damaged|broken|item damaged|破损|货物破损",
        CaseReason.SHORT: "short|short shipment|quantity shortage|missing items|item missing|货物短装|短装|少发",
        CaseReason.RETURN_NOT_REFUNDED: (
            "return_not_refunded|returned but not refunded|returned not refunded|credit_not_processed|退货未退款"
        ),
        CaseReason.RETURN_REFUSED: "return_refused|return refused|seller refused return|拒绝退货",
        CaseReason.STOLEN_CARD: "stolen_card|stolen card|unauthorised|unauthorized|fraud|盗卡|欺诈",
        CaseReason.DOUBLE_CHARGE: "double_charge|double charge|duplicate_transaction|charged twice|重复扣款",
        CaseReason.SLOW_LOGISTICS: "slow_logistics|slow logistics|late delivery|物流慢|物流太慢",
        CaseReason.DUTY_CHARGED: "duty_charged|duty charged|customs duty|关税|清关费用",
        CaseReason.QUALITY: "quality|quality problem|质量问题",
        CaseReason.OTHER: "other|others|其他|其它",
        CaseReason.UNKNOWN: "unknown|未知",
    }.items()
    for word in words.split("|")
}

OPEN, ANSWERED, CLOSED = "open", "answered", "closed"

STATES: Mapping[str, tuple[str, CaseOutcome | None]] = {
    word.strip(): state
    for state, words in {
        (
            OPEN,
            None,
        ): "open|opened|processing|in_issue|pending|new|required_action|waiting_for_seller_response|waiting_seller_response|"
        "waiting for seller|action required|进行中|处理中|待处理|待卖家处理|等待卖家处理",
        (
            ANSWERED,
            None,
        ): "answered|responded|under_review|under review|waiting_for_buyer_response|waiting_buyer_response|escalated|"
        "waiting for buyer|已回复|已响应|待买家处理|平台处理中",
        (CLOSED, None): "closed|finish|finished|resolved|end_issue|completed|已关闭|已结束|已完成",
        (CLOSED, CaseOutcome.CANCELLED_BY_BUYER): "canceled_issue|cancelled|canceled|withdrawn|买家撤销|已取消|已撤销",
    }.items()
    for word in words.split("|")
}
"""Word -> what it means for us: an answer is wanted, the other side has the word, or it is over."""

OUTCOMES: Mapping[str, CaseOutcome] = {
    word.strip(): outcome
    for outcome, words in {
        CaseOutcome.AGREED: "agreed|accepted|refunded|同意|已退款",
        CaseOutcome.REJECTED_WITH_PROPOSAL: "rejected_with_proposal|rejected|拒绝",
        CaseOutcome.CANCELLED_BY_BUYER: "cancelled_by_buyer|cancelled by buyer|canceled by buyer|withdrawn|买家取消",
        CaseOutcome.WON: "won|seller_win|resolved_seller_favour|resolved_seller_favor|卖家胜诉|胜诉",
        CaseOutcome.LOST: "lost|buyer_win|resolved_buyer_favour|resolved_buyer_favor|买家胜诉|败诉",
        CaseOutcome.ANSWERED: "answered|已回复",
        CaseOutcome.NO_ANSWER_NEEDED: "no_answer_needed|no response needed|无需回复",
    }.items()
    for word in words.split("|")
}
