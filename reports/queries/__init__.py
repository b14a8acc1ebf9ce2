"""Reads for the reports: SQL aggregates, each figure a known number of queries. Nothing here writes."""
