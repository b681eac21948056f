"""A month of money in the demo hospital: who pays when and how is drawn, the services do the rest, the figures are
counted. Its gateways of those days are past.Past; what they took, the demo's running gateway is told at the end."""
