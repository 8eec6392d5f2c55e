"""How numbers and times are written in text, and the SQL that reads them."""
