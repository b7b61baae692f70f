"""The messages of etcd's API (version 3) that lictor speaks, as classes of the protobuf library.

etcd publishes its API as .proto files; a client needs a tenth of it. Here that tenth is a table, from which protobuf
makes classes when this module is imported: nothing generated, nothing tied to one release of protobuf's compiler. Field
numbers are etcd's (api/etcdserverpb/rpc.proto and api/mvccpb/kv.proto); they are what goes over the wire, and they
never change. Enumerations are plain numbers, named below.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "lictor.etcd"

# message: field=type:number ..., where a star is a list and a capital letter another message of this table.
_MESSAGES = {
    "ResponseHeader": "cluster_id=uint64:1 member_id=uint64:2 revision=int64:3 raft_term=uint64:4",
    "KeyValue": "key=bytes:1 create_revision=int64:2 mod_revision=int64:3 version=int64:4 value=bytes:5 lease=int64:6",
    "Event": "type=int32:1 kv=KeyValue:2",
    "RangeRequest": "key=bytes:1 range_end=bytes:2 limit=int64:3 revision=int64:4 serializable=bool:7 keys_only=bool:8",
    "RangeResponse": "header=ResponseHeader:1 kvs=*KeyValue:2 more=bool:3 count=int64:4",
    "PutRequest": "key=bytes:1 value=bytes:2 lease=int64:3",
    "PutResponse": "header=ResponseHeader:1",
    "DeleteRangeRequest": "key=bytes:1 range_end=bytes:2",
    "DeleteRangeResponse": "header=ResponseHeader:1 deleted=int64:2",
    "RequestOp": "request_range=RangeRequest:1 request_put=PutRequest:2 request_delete_range=DeleteRangeRequest:3"
    " request_txn=TxnRequest:4",
    "ResponseOp": "response_range=RangeResponse:1 response_put=PutResponse:2"
    " response_delete_range=DeleteRangeResponse:3 response_txn=TxnResponse:4",
    "Compare": "result=int32:1 target=int32:2 key=bytes:3 version=int64:4 create_revision=int64:5 mod_revision=int64:6"
    " range_end=bytes:64",
    "TxnRequest": "compare=*Compare:1 success=*RequestOp:2 failure=*RequestOp:3",
    "TxnResponse": "header=ResponseHeader:1 succeeded=bool:2 responses=*ResponseOp:3",
    "WatchCreateRequest": "key=bytes:1 range_end=bytes:2 start_revision=int64:3 progress_notify=bool:4 fragment=bool:8",
    "WatchRequest": "create_request=WatchCreateRequest:1",
    "WatchResponse": "header=ResponseHeader:1 watch_id=int64:2 created=bool:3 canceled=bool:4 compact_revision=int64:5"
    " cancel_reason=string:6 fragment=bool:7 events=*Event:11",
    "LeaseGrantRequest": "TTL=int64:1 ID=int64:2",
    "LeaseGrantResponse": "header=ResponseHeader:1 ID=int64:2 TTL=int64:3 error=string:4",
    "LeaseRevokeRequest": "ID=int64:1",
    "LeaseRevokeResponse": "header=ResponseHeader:1",
    "LeaseKeepAliveRequest": "ID=int64:1",
    "LeaseKeepAliveResponse": "header=ResponseHeader:1 ID=int64:2 TTL=int64:3",
    "AuthenticateRequest": "name=string:1 password=string:2",
    "AuthenticateResponse": "header=ResponseHeader:1 token=string:2",
    "StatusRequest": "",
    "StatusResponse": "header=ResponseHeader:1 version=string:2 dbSize=int64:3 leader=uint64:4 raftIndex=uint64:5"
    " raftTerm=uint64:6 raftAppliedIndex=uint64:7 errors=*string:8 dbSizeInUse=int64:9 isLearner=bool:10",
    "Member": "ID=uint64:1 name=string:2 peerURLs=*string:3 clientURLs=*string:4 isLearner=bool:5",
    "MemberAddRequest": "peerURLs=*string:1 isLearner=bool:2",
    "MemberAddResponse": "header=ResponseHeader:1 member=Member:2 members=*Member:3",
    "MemberRemoveRequest": "ID=uint64:1",
    "MemberRemoveResponse": "header=ResponseHeader:1 members=*Member:2",
    "MemberListRequest": "linearizable=bool:1",
    "MemberListResponse": "header=ResponseHeader:1 members=*Member:2",
    "MemberPromoteRequest": "ID=uint64:1",
    "MemberPromoteResponse": "header=ResponseHeader:1 members=*Member:2",
}

# Values of enumerations.
EQUAL, GREATER, LESS, NOT_EQUAL = range(4)
"""Compare.result"""
VERSION, CREATE, MOD = range(3)
"""Compare.target"""
PUT, DELETE = range(2)
"""Event.type"""


def _file() -> descriptor_pb2.FileDescriptorProto:
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="lictor/etcd.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field in fields.split():
            field_name, _, rest = field.partition("=")
            kind, _, number = rest.partition(":")
            made = message.field.add(name=field_name, number=int(number))
            made.label = kinds.LABEL_REPEATED if kind.startswith("*") else kinds.LABEL_OPTIONAL
            kind = kind.lstrip("*")
            if kind[0].isupper():
                made.type, made.type_name = kinds.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
            else:
                made.type = getattr(kinds, f"TYPE_{kind.upper()}")
    return file


# A pool of its own: whoever else has etcd's messages in this process is not disturbed.
_pool = descriptor_pool.DescriptorPool()
_pool.Add(_file())


def message(name: str) -> Any:
    """The class of a message in the table above."""
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


KeyValue: Final = message("KeyValue")
Event: Final = message("Event")
RangeRequest: Final = message("RangeRequest")
PutRequest: Final = message("PutRequest")
DeleteRangeRequest: Final = message("DeleteRangeRequest")
RequestOp: Final = message("RequestOp")
Compare: Final = message("Compare")
TxnRequest: Final = message("TxnRequest")
WatchRequest: Final = message("WatchRequest")
WatchResponse: Final = message("WatchResponse")
