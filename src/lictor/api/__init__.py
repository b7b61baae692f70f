"""The HTTP API: from a request to a handler and back, with blocking queries and ready answers for the reads.

`listener` serves an address, `protocol` a connection on it with `parsing` for what comes in; `app.Application` answers
requests: `router` finds the route, `reads` runs and keeps reads, `routes/` has a module a family of endpoints. Handlers
decide nothing that the state or a command could decide.
"""
