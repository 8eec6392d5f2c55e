"""What the tables and columns of a shop are for: users, orders, items, ids, times and prices."""
