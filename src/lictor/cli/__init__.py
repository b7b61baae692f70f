"""The command line: a module a command group over the client, with Consul's words, flags, output and exit codes.

`main` finds the module of a command by its first word and imports nothing else. Every module has `COMMANDS`, the
`Command` classes of its group, and may have `GROUPS`, one line about each word that stands above several commands.
Commands talk to agents only through `lictor.client`.
"""
