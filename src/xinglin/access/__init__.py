"""Access: who may do what with whose records, and the log of every decision."""
