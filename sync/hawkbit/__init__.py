"""hawkBit's Direct Device Integration API, for devices that run SWUpdate or RAUC's updater already.

They poll, take one artifact (a tar of what the repository serves for a version) and give feedback;
a hook of theirs hands the tar to `skerry sync import`, which trusts TUF's signatures and nothing
else. https://eclipse.dev/hawkbit/apis/ddi_api/
"""
