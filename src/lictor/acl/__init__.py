"""Who may do what. Every handler asks an `Authorizer`; while ACLs are off, the one that allows all answers.

Pure: no I/O, no clock. `why` texts name the permission that was missing.
"""

from lictor.acl.authorizer import ALLOW_ALL, Authorizer

__all__ = ["ALLOW_ALL", "Authorizer"]
