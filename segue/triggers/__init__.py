"""CRM triggers: webhooks for users who enter, leave or move between segments, and their ledger.

The rules (:mod:`segue.triggers.policy`) are pure. A lane (:mod:`segue.triggers.trigger_lane`) applies them to
one partition of the changes. ``sending`` posts the webhooks, and ``service`` is the process.
"""
