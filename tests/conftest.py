"""What holds for every test."""

from __future__ import annotations

import hypothesis

# A busy machine must not fail a property for being slow.
hypothesis.settings.register_profile("lictor", deadline=None, print_blob=True)
hypothesis.settings.load_profile("lictor")
