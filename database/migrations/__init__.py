"""The Alembic environment: env.py, the runner that applies it, the revisions in versions/."""
