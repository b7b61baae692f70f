"""The endpoints, a module a family. `build` gives the router of them all."""

from lictor.api.router import Router


def build() -> Router:
    """Every route of the HTTP API."""
    from lictor.api.routes import (
        acl,
        agent,
        agent_local,
        autopilot,
        catalog,
        config,
        coordinate,
        event,
        health,
        internal,
        kv,
        operator,
        query,
        session,
        snapshot,
        status,
        txn,
    )

    router = Router()
    modules = (
        *(status, agent, agent_local, catalog, health, kv, session, txn, event, coordinate, query, config),
        *(operator, autopilot, internal, snapshot, acl),
    )
    for module in modules:
        router.merge(module.router)
    return router
