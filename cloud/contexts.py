"""What the cloud remembers of a device's sessions, so that only new tokens travel."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from skerry.cloud.errors import CloudTierError

_MOST_SESSIONS = 4_096
_MOST_TOKENS = 8_000_000


class NoContext(CloudTierError):
    """The cloud does not hold what the device counts on; it must send all of it."""

    code = "no_context"


class Contexts:
    """Sequences by owner and session; the ones that were used longest ago are forgotten first."""

    def __init__(self, sessions: int = _MOST_SESSIONS, tokens: int = _MOST_TOKENS) -> None:
        self._held: OrderedDict[tuple[str, str], tuple[int, ...]] = OrderedDict()
        self._sessions, self._tokens, self._size = sessions, tokens, 0

    def whole(self, owner: str, session: str, kept: int, tokens: Sequence[int]) -> tuple[int, ...]:
        """The first `kept` tokens of a session, and then `tokens`.

        Raises:
            NoContext: so many are not held.
        """
        if not kept:
            return tuple(tokens)
        held = self._held.get((owner, session), ())
        if len(held) < kept:
            raise NoContext(
                f"{len(held)} tokens of this session are held, not {kept}",
                hint="send the whole sequence",
            )
        return (*held[:kept], *tokens)

    def keep(self, owner: str, session: str, tokens: Sequence[int]) -> None:
        """Remembers the sequence of a session that has a name."""
        if not session:
            return
        self._drop((owner, session))
        self._held[owner, session] = tuple(tokens)
        self._size += len(tokens)
        while len(self._held) > self._sessions or self._size > self._tokens:
            self._drop(next(iter(self._held)))

    def _drop(self, key: tuple[str, str]) -> None:
        self._size -= len(self._held.pop(key, ()))
