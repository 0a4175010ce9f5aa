"""Replaces identifiers before a text leaves the device, and puts them back in the reply.

An identifier becomes a surrogate of its kind and form: a name another name, a date another date.
The same value always becomes the same surrogate within one conversation. The mapping stays in the
object, on the device.
"""

from skerry.guardrails.pseudonyms.entries import Style
from skerry.guardrails.pseudonyms.mapping import Pseudonyms
from skerry.guardrails.pseudonyms.stream import Restorer

__all__ = ["Pseudonyms", "Restorer", "Style"]
