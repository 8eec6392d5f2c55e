"""Joins the rows of two Debezium topics to whole orders.

By file: ``order_columns``, ``table_rows`` and ``row_records`` read rows and hand them on; ``whole_order`` is
the join; ``row_lane`` and ``order_lane`` do the two steps on Kafka; ``join_topics`` and ``run_join`` are the
command.
"""
