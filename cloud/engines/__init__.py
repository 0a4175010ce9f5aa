"""Engines that verify drafts, behind one Protocol: see `skerry.cloud.engines.base`."""
