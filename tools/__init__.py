"""Programs for developers: they generate reference pages and draw the import graph."""
