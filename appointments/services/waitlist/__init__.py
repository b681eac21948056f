"""候补 (B9): the line of a session that is full, and the numbers that are offered to whoever is next in it.

An offer is a pending appointment whose hold ends with the offer, made by the booking function like any other: to accept
is to confirm it, and unanswered it lapses like any hold. So there is no second way to sell a number.
"""

from .following import TOPICS, follow, follow_up, wanted_topics
from .line import join, leave
from .offering import offer
from .settling import accept, decline

__all__ = ["TOPICS", "accept", "decline", "follow", "follow_up", "join", "leave", "offer", "wanted_topics"]
