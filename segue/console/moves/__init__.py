"""The moves between segments: from the tables of `segue flow`, else from what this console reads."""
