"""Nothing wrong is believed: small deliveries that have gone wrong somewhere, and what is right for each."""
