"""Bodies, collected up to a cap that counts what comes out of a decompressor (facts: faults, 10)."""

from __future__ import annotations

import zlib

from carriers.errors import CarrierError, ErrorKind

_GZIP = 47
"""zlib: the largest window, gzip or zlib header recognised by itself."""


class Plain:
    """Collects a body up to `cap` bytes."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._left = cap
        self._chunks: list[bytes] = []

    def feed(self, chunk: bytes) -> None:
        """Take the next piece. Raises CarrierError(bad_response)."""
        self._left -= len(chunk)
        if self._left < 0:
            raise CarrierError(ErrorKind.BAD_RESPONSE, f"a body larger than {self._cap} bytes")
        self._chunks.append(chunk)

    def whole(self) -> bytes:
        """All of it."""
        return b"".join(self._chunks)


class Inflated(Plain):
    """The same after decompression: never one byte more than the cap is inflated (facts: faults, 10)."""

    def __init__(self, cap: int) -> None:
        super().__init__(cap)
        self._member = zlib.decompressobj(_GZIP)
        self._started = False

    def feed(self, chunk: bytes) -> None:
        """Take the next piece, compressed. Raises CarrierError(bad_response)."""
        while chunk:
            self._started = True
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            try:
                super().feed(self._member.decompress(chunk, self._left + 1))
            except zlib.error:
                raise CarrierError(ErrorKind.BAD_RESPONSE, "a body that says gzip and is none") from None
            chunk = self._member.unconsumed_tail or self._member.unused_data

    def whole(self) -> bytes:
        """All of it. Raises CarrierError(bad_response) where the end is missing."""
        if self._started and not self._member.eof:
            raise CarrierError(ErrorKind.BAD_RESPONSE, "a compressed body that was cut off")
        return super().whole()
