"""The API's families of endpoints, a module each: what they are called, what they take, what they give.

Every method builds a request and says how its answer is read; nothing here sends anything.
"""
