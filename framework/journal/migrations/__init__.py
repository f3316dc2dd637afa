"""The steps that bring a journal to the newest schema, applied in the order of their numbers."""
