"""The changes as they happen: one reader of Kafka, and a bounded queue for each viewer."""
