"""From the warehouse to a published release: features, fit, evaluation, report."""
