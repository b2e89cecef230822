"""The order of the stages, and the questions asked across them.

Only this package knows that ingest comes before link and link before the mart; the stages hand over tables.
"""
