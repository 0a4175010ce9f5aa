"""Drafts are hints: the protocol, the noise that both sides share, and what a hint is worth.

Everything here is pure: no sockets, no clocks, no models. Device and cloud both import it.
"""
