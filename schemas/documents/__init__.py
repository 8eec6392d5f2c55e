"""Generate the JSON Schemas and the AsyncAPI document from the types."""
