"""Celery tasks of the money: load, one service call. Each finds its own work, so a missed beat heals itself."""

from celery import shared_task

from hospital import clock

from .services import dunning, jobs, reconciling


@shared_task(ignore_result=True)
def ask_gateways(**_kwargs):
    """What became of payments that nobody told us of; refunds to send; paid lines that a crash left unconfirmed."""
    jobs.catch_up(now=clock.now())


@shared_task(ignore_result=True)
def reconcile(**_kwargs):
    """对账: each gateway's day beside ours, as soon as its bill is there; what is explained is closed."""
    reconciling.work(now=clock.now())


@shared_task(ignore_result=True)
def dun(**_kwargs):
    """催缴: who has not paid in time what was on credit. By day only: nobody is woken by a debt."""
    dunning.dun(now=clock.now())
