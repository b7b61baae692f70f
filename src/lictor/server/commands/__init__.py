"""One plan a kind of write: a function that takes what the client asked for and returns a plan over a `Tx`.

Plans are pure: they read rows through the `Tx`, decide as the reference's state store does, and put or delete rows.
"""
