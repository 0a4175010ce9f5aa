"""Updates, rollouts, audit log and telemetry between a fleet and its operator.

Nothing is here yet. Answer receipts are kept on the device by `skerry.edge.receipts`.
"""

if __name__ != "skerry.sync":
    raise ImportError(f"import this package as skerry.sync, not as {__name__}")
