"""Yuan and fen: gateways count in fen, the house in yuan with two decimals."""

from decimal import Decimal

from billing.policies.splitting import FEN


def to_fen(amount: Decimal) -> int:
    """Raises ValueError for what is not whole fen."""
    fen = amount / FEN
    if fen != fen.to_integral_value():
        raise ValueError("not whole fen")
    return int(fen)


def to_yuan(fen: int) -> Decimal:
    return (Decimal(fen) * FEN).quantize(FEN)
