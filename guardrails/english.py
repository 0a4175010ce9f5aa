"""The English words that hold a sentence together and say nothing by themselves.

Search and gate share these, and each adds some of its own: to a question, "how many" and "tell me"
are no subject, but what an answer says "after" or "out of" is a claim; and only a model says
"according to the source". Floors were fitted with the very lists: measure before changing them.
"""

from __future__ import annotations

FUNCTION_WORDS = frozenset(
    """
    a an the this that these those and or but nor not no if than then so as there here
    of in on at to for from by with without about into over under per
    i me my we us our you your he him his she her it its they them their
    am is are was were be been being do does did done have has had having can could may might
    must shall should will would
    who whom whose what which when where why how
    any some all each every more most very just also
    """.split()
)
