"""HCL, version 1: the language of the reference's configuration files, ACL rules and config entries.

Version 2 (what current HCL libraries read) is another language: it refuses two blocks or two assignments on one line,
quoted keys and a comma after a block, all of which the reference's users write. Text in, plain values out; this package
knows nothing of any particular schema, and does no I/O.
"""

from lictor.hcl.lexer import HCLError
from lictor.hcl.parser import Object, parse

__all__ = ["HCLError", "Object", "parse"]
