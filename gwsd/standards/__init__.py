"""Descriptions of the run in the forms that others read: RO-Crate, codecheck.yml, the README table."""
