"""The store over etcd, for several servers; and a member of etcd's own cluster that a server can run.

Only `config` may be imported without gRPC: who wants the store or the member says so.
"""

from lictor.store.etcd.config import EtcdConfig

__all__ = ["EtcdConfig"]
