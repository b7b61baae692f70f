"""What crosses a wire or lies in the store: nodes, services, checks, keys, sessions, queries, and their validation.

All are frozen msgspec Structs with Python names in snake_case and Consul's JSON names on the wire (`gojson.go_name`).
Nothing here does I/O or knows a clock.
"""
