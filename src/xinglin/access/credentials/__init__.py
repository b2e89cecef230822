"""Credentials: identify actors; trusted issuers; issuing and revoking."""
