"""The sections of the report, each a part of its page."""
