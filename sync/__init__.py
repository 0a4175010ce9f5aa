"""Updates between a fleet and its operator: signed, small, and never a bricked device.

`repository` publishes, `client` takes, `offers` is what a server and a device say to each other.
docs/sync.md walks through both sides. Knows bundles, never the runtime.
"""

if __name__ != "skerry.sync":
    raise ImportError(f"import this package as skerry.sync, not as {__name__}")
