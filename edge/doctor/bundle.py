"""Whether the bundle in the settings can be run here; the checks after it are of its model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.edge.doctor.report import Check, Status

if TYPE_CHECKING:
    from skerry.edge.settings import Settings


def check_bundle(settings: Settings) -> Check:
    """What is taken of it, and why."""
    from skerry.edge.bundled import take_bundle

    bundled = take_bundle(settings)
    if bundled is None:
        return Check("bundle", Status.OK, "none is run: the model is the one below")
    from skerry.edge.bundled.used import told_parts

    named = f"{bundled.bundle.manifest.name} ({bundled.bundle.digest[:12]})"
    parts = told_parts(bundled, settings)
    detail = f"{named}, {bundled.variant.name}: {bundled.why[0]}; {parts}"
    return Check("bundle", Status.OK, detail)


def with_bundle(settings: Settings) -> Settings:
    """The settings with the bundle's model; as they are where it cannot be run, which
    its own check says."""
    from skerry.device_profiles import ProfileError
    from skerry.edge.bundled import bundled_settings, take_bundle
    from skerry.edge.errors import EdgeError

    try:
        bundled = take_bundle(settings)
        return settings if bundled is None else bundled_settings(settings, bundled)
    except (EdgeError, ProfileError):
        return settings
