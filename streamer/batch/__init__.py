"""One batch of records: read, decided, and turned into output records."""
