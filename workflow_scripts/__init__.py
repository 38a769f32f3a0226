"""Programs of the workflow: each reads files, calls one function of the library and writes files."""
