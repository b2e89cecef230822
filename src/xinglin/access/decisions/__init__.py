"""Access decisions: roles, the decision function, its verdict and the error of a refusal."""
