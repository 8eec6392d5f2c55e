"""JSON Schemas and the AsyncAPI document, made from the types."""
