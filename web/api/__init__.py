"""REST under /api: one table of calls (routes.py), their handlers, the machinery around them."""
