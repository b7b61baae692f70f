"""What makes an agent a client: the servers it knows, requests sent on to them, and answers shared and kept fresh.

`Servers` chooses a server and leaves a lost one within a second; `Feeds` holds one blocking query for however many
local watchers; `Forwarder` answers the HTTP API from both; `RemoteCatalog` is where anti-entropy writes to;
`RemoteSource` is what DNS asks. Nothing here knows routes or tables.
"""
