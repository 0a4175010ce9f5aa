"""Rollouts: who takes a new version when, and when nobody does any more.

Pure: functions over plain data, without a clock, a file or a network. `machine.step` is the page to
read first. The server (`skerry.sync.server`) keeps what this returns; the simulation
(`skerry.sync.rollouts.simulate`) drives the same code with a million devices.
"""
