"""Generated lives: what happens to a person, and what institutions see of it."""
