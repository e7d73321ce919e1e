"""The study: one question, subset × processors → results."""
