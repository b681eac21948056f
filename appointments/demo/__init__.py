"""The demo hospital's people and behaviour, drawn from a seed.

It draws who books what when, who comes, how long a consultation takes; rooms, queues and every figure follow
from that. Bookings go through the booking service in simulated time; the visits of past days are written in bulk,
with the same rows and facts that the visit service leaves.
"""
