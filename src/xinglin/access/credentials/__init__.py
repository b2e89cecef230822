"""Credentials: who an actor is, who may say so, how one is issued and revoked."""
