"""The pages and the API: routes, templates, errors, and the check of who reads."""
