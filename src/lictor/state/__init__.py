"""The state: what the store's keys mean, kept in memory in the shape that reads want, with a cell for all that can change.

`State` follows a store's revisions (`apply`) and answers reads as `Answer`s. It does no I/O and knows no clock.
"""
