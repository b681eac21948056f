"""The demo hospital's referrals: agreements, signed residents, a month of patients sent up and down, and what is open
now in the office, at the community centre and in the demo doctor's queue.

Drawn are who is referred and why and what the two sides then do; the numbers, visits, cancellations and no-shows are
those of the demo's own month, so shares of pools, times to answer and every other figure follow. Past days are written
in bulk, with the rows that the services leave; what a visitor of the demo touches is made by the services.
"""
