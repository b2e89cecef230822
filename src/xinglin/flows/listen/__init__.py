"""Live feeds: what is listened to, who receives, when it lands."""
