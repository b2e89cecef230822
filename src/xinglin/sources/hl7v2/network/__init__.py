"""HL7 v2 over the network: MLLP and acknowledgements."""
