"""The header Prefer (RFC 7240): how the client would like to be answered."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.http import HttpRequest

_TOKEN = re.compile(r'([\w-]+)(?:\s*=\s*"?([^",;]*)"?)?')
_LONGEST = 10**6  # seconds; more is as good as for ever


@dataclass(frozen=True, slots=True)
class Preferences:
    """`respond-async`, `wait` in seconds, and `return` (of the draft of version 2.0)."""

    respond_async: bool = False
    wait: int | None = None
    returned: str = ""

    def applied(self, *, asynchronous: bool) -> str:
        """The header Preference-Applied, "" when nothing of it changed the answer."""
        words = []
        if self.respond_async and asynchronous:
            words.append("respond-async")
        if self.wait is not None:
            words.append(f"wait={self.wait}")
        if self.returned:
            words.append(f"return={self.returned}")
        return ", ".join(words)


def preferences(request: HttpRequest) -> Preferences:
    """What the request prefers; unknown and misspelt preferences are left out (RFC 7240 §2)."""
    told: dict[str, str] = {}
    for part in request.headers.get("Prefer", "").split(","):
        match = _TOKEN.match(part.strip())
        if match:  # of a preference that is there twice the first counts
            told.setdefault(match[1].lower(), (match[2] or "").strip())
    wait = told.get("wait", "")
    returned = told.get("return", "").lower()
    return Preferences(
        respond_async="respond-async" in told,
        wait=min(int(wait), _LONGEST) if re.fullmatch(r"[0-9]{1,9}", wait) else None,
        returned=returned if returned in ("minimal", "representation") else "",
    )
