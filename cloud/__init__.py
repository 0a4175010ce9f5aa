"""The tier behind the device: a target model that verifies the drafts of devices.

`service` is the page to read first; `hints` is what device and cloud share.
"""

if __name__ != "skerry.cloud":
    raise ImportError(f"import this package as skerry.cloud, not as {__name__}")
