"""The state: what the store's keys mean, in memory, in the shape that reads want, a cell for all that can change.

`State` follows a store's revisions (`apply`) and answers reads as `Answer`s. It does no I/O and knows no clock.
"""

from lictor.state.answer import Answer, stamp, unmoved
from lictor.state.state import State

__all__ = ["Answer", "State", "stamp", "unmoved"]
