"""Commitments: digests keyed with a secret that is erased when the state changes.

Who has the secret can check that a commitment is of a state; without it, a commitment is noise, on
which no guess about the state can be tried. Erasing a key in place of what it protects is known as
crypto-shredding.
"""

from __future__ import annotations

import hashlib
import hmac
import os

__all__ = ["is_commitment_to", "new_commitment"]

SECRET_BYTES = 32


def new_commitment(digest: str) -> tuple[str, bytes]:
    """A commitment to the state of a digest, and its secret, out of the operating system."""
    secret = os.urandom(SECRET_BYTES)
    return _commitment(digest, secret), secret


def _commitment(digest: str, secret: bytes) -> str:
    """HMAC-SHA256 of the digest of a state, hexadecimal (RFC 2104)."""
    return hmac.new(secret, digest.encode(), hashlib.sha256).hexdigest()


def is_commitment_to(digest: str, secret: bytes | None, commitment: str | None) -> bool:
    """Whether a commitment is to a state; False when the secret is gone."""
    if secret is None or not isinstance(commitment, str):
        return False
    return hmac.compare_digest(_commitment(digest, secret).encode(), commitment.encode())
