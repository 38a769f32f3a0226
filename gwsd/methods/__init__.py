"""Methods: anything that maps coarse to fine storage, with one interface."""
