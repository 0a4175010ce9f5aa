"""The tier behind the device: gateway, draft verification and engines.

Nothing is here yet. The device escalates through `skerry.edge.escalate`, which speaks to
any OpenAI-compatible server.
"""

if __name__ != "skerry.cloud":
    raise ImportError(f"import this package as skerry.cloud, not as {__name__}")
