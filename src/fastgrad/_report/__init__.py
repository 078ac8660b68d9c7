"""A result as text, HTML, JSON and pictures."""
