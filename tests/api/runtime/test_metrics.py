"""Metrics count each thing once, however often they are scraped."""

from api.runtime.metrics import Metrics


def dropped_lines(metrics: Metrics, counted: int) -> str:
    """Scrape the metrics when so many lines of the log were dropped in total; return that metric."""
    text = metrics.scrape(jobs={}, poll_lag=0.0, projection_lag=0, log_lines_dropped=counted, reachable={}).decode()
    return next(line for line in text.splitlines() if line.startswith("job_recovery_log_lines_dropped_total"))


def test_every_scrape_shows_the_lines_that_were_dropped_in_total() -> None:
    metrics = Metrics()

    scraped = [dropped_lines(metrics, counted) for counted in (0, 3, 3, 3, 5)]

    assert [float(line.split()[-1]) for line in scraped] == [0, 3, 3, 3, 5]


def test_each_vma_is_shown_as_it_is_now_whatever_the_others_are() -> None:
    metrics = Metrics()

    for states in ((True, False), (False, True), (False, False), (True, True)):
        reachable = dict(zip(("one", "two"), states, strict=True))
        text = metrics.scrape(
            jobs={}, poll_lag=0.0, projection_lag=0, log_lines_dropped=0, reachable=reachable
        ).decode()

        for vma, is_reachable in reachable.items():
            assert f'job_recovery_vma_reachable{{vma="{vma}"}} {float(is_reachable)}' in text
