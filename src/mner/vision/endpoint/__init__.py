"""A model that sees, behind an OpenAI-compatible chat API: one answer per picture for captions, objects and text."""
