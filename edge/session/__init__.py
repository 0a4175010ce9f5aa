"""Conversations: kept on the device, and made short enough for the model's context.

Nothing here is ever sent anywhere. Which turns go into a prompt is left to the runtime.
"""

from skerry.edge.session.compress import Compressed, compress, unframed
from skerry.edge.session.store import SessionStore
from skerry.edge.session.types import Opening, Session, SessionInfo, SessionLimits, Turn

__all__ = [
    "Compressed",
    "Opening",
    "Session",
    "SessionInfo",
    "SessionLimits",
    "SessionStore",
    "Turn",
    "compress",
    "unframed",
]
