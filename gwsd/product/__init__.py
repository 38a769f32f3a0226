"""Room `product`."""
