"""The demo hospital's exams: devices, a drawn month of requests and exams, and what today's visitors find open.

It draws who is asked for what, when people want to come and who stays away; times come from the planner on what is
free at that moment, so trips, waiting, occupancy and every other figure follow. Past days are written in bulk, with
the rows that the services leave; what a visitor of the demo touches is made by the services.
"""
