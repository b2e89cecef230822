"""What is checked: rules generated from the contracts, and how they are run and reported."""
