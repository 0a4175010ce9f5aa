"""The fleet server: devices enrol, ask what to run and report; operators decide in rollouts.

Stateless processes before one SQLite file or one PostgreSQL database. docs/fleet.md says how to run
it. It holds no key of the repository: what a device takes is verified by the repository's own
signatures, whatever this server says.
"""
