"""The endpoints, a module a family. `build` gives the router of them all."""

from lictor.api.router import Router


def build() -> Router:
    """Every route of the HTTP API."""
    from lictor.api.routes import agent, agent_local, catalog, health, kv, status

    router = Router()
    for module in (status, agent, agent_local, catalog, health, kv):
        router.merge(module.router)
    return router
