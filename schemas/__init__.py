"""What both sides say: wire types, features, the model release, topics and errors."""
