"""The agent: one process that is a server, with its local services, checks, HTTP and DNS.

`agent.Agent` ties it together; `config` says what it runs on, `local` what is registered with it, `checks` how that
is checked. The `cli` starts it; nothing below it knows it.
"""
