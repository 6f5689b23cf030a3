"""Drift: how far one set of rows has moved from another, told by their summaries alone."""
