"""Beside another system (O1): its patients come in, our registrations go out, its workstations open our pages.

signing   how a message or a link proves whom it is from
targets   where a webhook may go, and the one way to post there
webhooks  facts become signed events, in order, tried again until they arrive
links     the signed link that opens the consult room
records   their patients in our index of persons
"""
