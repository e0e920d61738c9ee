"""Message-ID from the dedup key: the same row has the same id for ever, and a provider or a person can recognise a repetition."""

from __future__ import annotations

import hashlib
import re

_LOCAL_PART = 64
_DIGEST = 16


def message_id(key: str, domain: str) -> str:
    """`<outreach-order-shop-1001-stage1-0-9f…@domain>` for `order/shop/1001:stage1:0`.

    The readable half can be equal for two keys (`a/b` and `a-b`), so a digest of the whole key ends it; the local part stays
    within the 64 octets of RFC 5321. No personal data: the key names orders, not buyers.
    """
    digest = hashlib.blake2b(key.encode(), digest_size=_DIGEST // 2).hexdigest()
    readable = re.sub(r"[^A-Za-z0-9]+", "-", f"outreach-{key}")[: _LOCAL_PART - _DIGEST - 1].strip("-")
    return f"<{readable}-{digest}@{domain}>"
