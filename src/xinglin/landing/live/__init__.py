"""Landing of live feeds: messages and objects become durable, then land in micro-batches."""
