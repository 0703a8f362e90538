"""Rate limits per API key or address (generic cell rate algorithm).

One number per client is stored: the theoretical arrival time, at which all its requests so far
would be used up at the allowed rate. A library would bring three packages for it.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict

from emoscope.events import Clock

_REMEMBERED = 10_000
"""The address or key of the oldest request is dropped first, so memory stays bounded."""


class Rates:
    """Rate limiter.

    Args:
        per_minute: how many each may make; 0 for no limit.
        burst: how many of them at once; a sixth of a minute's by default.
        clock: seconds that only go forward.
    """

    def __init__(
        self, per_minute: int, *, burst: int | None = None, clock: Clock = time.monotonic
    ) -> None:
        self.per_minute = per_minute
        self._each_s = 60 / per_minute if per_minute else 0.0
        self._slack_s = self._each_s * max(burst if burst is not None else per_minute // 6, 1)
        self._clock = clock
        self._paid_s: OrderedDict[str, float] = OrderedDict()

    def take(self, who: str) -> int:
        """Count a request; return 0, or in how many seconds it may be made."""
        if not self.per_minute:
            return 0
        now_s = self._clock()
        paid_s = max(self._paid_s.get(who, now_s), now_s) + self._each_s
        if paid_s - now_s > self._slack_s + 1e-9:
            return math.ceil(paid_s - now_s - self._slack_s)
        self._paid_s[who] = paid_s
        self._paid_s.move_to_end(who)
        if len(self._paid_s) > _REMEMBERED:
            self._paid_s.popitem(last=False)
        return 0
