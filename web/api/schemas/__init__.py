"""What goes over the wire: pydantic models, camelCase in JSON, one file a noun."""
