"""Evaluation: predictions and scores of methods on the test patches."""
