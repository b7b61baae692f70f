"""What the outside world gives a process: time, randomness, identifiers, tasks, logs, metrics.

Everything above takes these through parameters, so that a test (and later the simulator) can hold them still.
"""
