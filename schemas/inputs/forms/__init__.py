"""Events as other systems send them: one pure function for each form, from a record's JSON to Segue's own."""
