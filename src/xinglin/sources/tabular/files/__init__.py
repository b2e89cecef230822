"""Files of tables: encoding, delimiter, header, rows."""
