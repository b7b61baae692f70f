"""DNS, over UDP and TCP: names to questions, the catalog's answers to packets, everything else to recursors.

`DNSServer(source, settings, clock, entropy)` serves what a `Source` knows; `DNSSettings` says how. The core
(`responder` and below) turns bytes into bytes and waits for nothing; `udp`, `tcp`, `recursors` and `server` do the
waiting.
"""

from lictor.dns.server import DNSServer
from lictor.dns.settings import SOA, DNSConfig, DNSSettings
from lictor.dns.source import QueryResult, Source

__all__ = ["SOA", "DNSConfig", "DNSServer", "DNSSettings", "QueryResult", "Source"]
