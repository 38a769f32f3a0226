"""The claims of the paper, and what was found of each."""
