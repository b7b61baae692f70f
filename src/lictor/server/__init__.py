"""The server: writes planned from the state and committed to the store, and what one server does for all (the leader).

`Writer` groups plans into commits; `commands` holds one plan a kind of write; `Server` ties a store, a state and the
leader's duties together. HTTP and DNS are elsewhere and only call in.
"""
