"""Referrals for the programs of lower institutions (R1, R7): the services of the pages, in JSON."""
