"""A cloud that is far away and slow, on this machine: for tests, benchmarks and trying things out.

`link` is a network with delay, loss and faults, `paced` a larger model's passes, `recorded` a model
whose answers are known.
"""
