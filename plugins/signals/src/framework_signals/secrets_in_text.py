"""Secrets in what arrived: what is kept of a refused alert must not give them away."""

from __future__ import annotations

import re

_NAMES = "api_key|api_secret|apikey|apisecret|secret|token|password|passphrase|signature"
# Quotes may be escaped once more, where the text was shown inside of another one.
_JSON = re.compile(rf'(\\*"(?:{_NAMES})\\*"\s*:\s*)(\\*"(?:[^"\\]|\\.)*"?|[^,}}\s]+)', re.IGNORECASE)
_PAIR = re.compile(rf"\b((?:{_NAMES})\s*[=:]\s*)[^\s;,]+", re.IGNORECASE)


def without_secrets(text: str, *secrets: str) -> str:
    """The text with `***` in place of what stands after a name that secrets have, and of the secrets that are given."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return _PAIR.sub(r"\1***", _JSON.sub(r'\1"***"', text))
