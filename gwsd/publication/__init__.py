"""Published numbers, claims, the article and the audit page."""
