"""The page that a reviewer opens: every artifact, number and claim with its lineage."""
