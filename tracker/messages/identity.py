"""Message-ID from the dedup key: the same row has the same id for ever, and a provider or a person can recognise a repetition."""

from __future__ import annotations

import hashlib
import re

_ROOM = 78 - len("In-Reply-To: ")
"""Characters that still fit on the line of every header that repeats the id: not every mail program reads a folded one."""

NOWHERE = "tracker.invalid"
"""The domain of an id whose sender has none."""

_PREFIX = "outreach"
_DIGEST = 16


def message_id(key: str, domain: str) -> str:
    """`<outreach-order-shop-1001-stage1-0-9f…@domain>` for `order/shop/1001:stage1:0`.

    The readable part can be equal for two keys (`a/b` and `a-b`), so a digest of the whole key ends it. No personal data: the key
    names orders, not buyers. A domain beyond ASCII stands in its ASCII form: the header has no other.
    """
    domain = _ascii(domain)
    digest = hashlib.blake2b(key.encode(), digest_size=_DIGEST // 2).hexdigest()
    room = max(_ROOM - len(f"<{_PREFIX}--{digest}@{domain}>"), 0)
    readable = re.sub(r"[^A-Za-z0-9]+", "-", key).strip("-")[:room].strip("-")
    return f"<{'-'.join(part for part in (_PREFIX, readable, digest) if part)}@{domain}>"


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return NOWHERE
