"""Who this agent is: its node id, kept in the data directory to outlive restarts, and its row in the catalog."""

from __future__ import annotations

import os
from pathlib import Path

from lictor.agent.config import RuntimeConfig
from lictor.errors import ConfigError
from lictor.runtime.clock import Entropy
from lictor.types.catalog import Node
from lictor.types.member import Member
from lictor.types.validate import uuid_error
from lictor.version import VERSION

NODE_ID_FILE = "node-id"


def node_id(config: RuntimeConfig, entropy: Entropy) -> str:
    """The configured id, else the one kept in the data directory, else a new one that is kept there.

    Raises ConfigError naming the directory that cannot be written, or the file that holds something else.
    """
    if config.dev_mode or not config.data_dir:
        return config.node_id.lower() or entropy.uuid()
    file = Path(config.data_dir) / NODE_ID_FILE
    if config.node_id:
        chosen, kept = config.node_id.lower(), ""
    else:
        kept = _kept(file)
        chosen = kept or entropy.uuid()
    # One that is kept already is not written again: an agent whose disk is full still starts.
    if chosen != kept:
        try:
            write_atomically(file, chosen.encode())
        except OSError as error:
            raise ConfigError(f'data_dir "{config.data_dir}" cannot be written: {error.strerror}') from None
    return chosen


def own_node(config: RuntimeConfig, chosen_id: str) -> Node:
    """This agent's row in the catalog."""
    return Node(
        id=chosen_id,
        node=config.node_name,
        address=config.advertise_addr,
        datacenter=config.datacenter,
        tagged_addresses=dict(config.tagged_addresses),
        meta={"consul-network-segment": "", **config.node_meta},
    )


def own_member(config: RuntimeConfig, node: Node) -> Member:
    """This agent as a member."""
    return Member(
        id=node.id,
        name=node.node,
        address=node.address,
        port=config.ports.serf_lan,
        wan_port=config.ports.serf_wan,
        server_port=config.ports.server,
        server=config.server,
        datacenter=config.datacenter,
        version=VERSION,
        meta=node.meta,
        tagged_addresses=node.tagged_addresses,
    )


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a small file so that it is there whole or not at all, whatever happens."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    with open(new, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)


def _kept(path: Path) -> str:
    try:
        text = path.read_text().strip().lower()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read this node's id from {path}: {error}") from None
    if reason := uuid_error(text):
        raise ConfigError(f"{path} holds no node id ({reason}): remove the file to have a new one made")
    return text
