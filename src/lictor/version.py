"""The version, in a module of its own so that asking for it imports nothing else."""

VERSION = "0.1.0"

# The reference version whose API and behaviour are matched; clients that look at the agent's version see it too.
REFERENCE = "1.10.11"
