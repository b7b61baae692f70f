"""Real processes: agents, and the programs and clients of others that use them unchanged."""
