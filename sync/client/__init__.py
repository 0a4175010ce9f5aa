"""The device's side of updates: two slots, a link, a journal; see `client`."""

from skerry.sync.client.client import Client, open_client
from skerry.sync.client.device import Device, Enrolment, Rules
from skerry.sync.client.enrolling import enroll
from skerry.sync.client.health import Health, HealthCheck, only_whole
from skerry.sync.client.journal import Journal, Phase
from skerry.sync.client.means import Applied, Means, Result
from skerry.sync.client.source import FolderSource, Source, open_source

__all__ = [
    "Applied",
    "Client",
    "Device",
    "Enrolment",
    "FolderSource",
    "Health",
    "HealthCheck",
    "Journal",
    "Means",
    "Phase",
    "Result",
    "Rules",
    "Source",
    "enroll",
    "only_whole",
    "open_client",
    "open_source",
]
