"""What live feeds received: durable first, then landed in small batches."""
