"""Joins the demo's seeding (appointments.demo.neighbours)."""

from appointments.demo.neighbours import Neighbour, join

from .living import live

join(Neighbour("billing", live))
