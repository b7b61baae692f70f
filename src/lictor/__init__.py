"""lictor: service discovery, health, key/value configuration, DNS and mesh, speaking Consul's API.

See docs/architecture.md for one picture of how the packages fit. This package itself imports nothing, so that
`lictor version` stays instant; take what you need from the subpackages.
"""
