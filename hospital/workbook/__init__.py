"""The hospital's own workbook: what its sheets hold, reading it, and every wrong cell at once.

Knows neither Django nor the database, so that a workbook can be checked or written anywhere.
"""
