"""The local engine: as many jobs at once as there are cores, supervised by threads; the heavy work is in their children."""

from __future__ import annotations

import concurrent.futures
import itertools
import threading
from collections.abc import Generator, Iterable

from vasculum import resources
from vasculum.jobs import Context, Job, JobReport, Progress

POLL_SECONDS = 0.2


class LocalEngine:
    """Runs jobs in `workers` threads of this process (default: the cores it was given)."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or resources.cores()

    def run(self, jobs: Iterable[Job], progress: Progress) -> Generator[JobReport, None, None]:
        """Yield a report for each job as it ends; on Ctrl-C or a broken contract, stop the others and raise."""
        stop = threading.Event()
        waiting = iter(jobs)
        contexts: list[Context] = []
        local = threading.local()

        def work(job: Job) -> JobReport:
            if not hasattr(local, "context"):
                local.context = Context(stop, progress, resources.memory_per_worker(self.workers))
                contexts.append(local.context)
            return job.run(local.context)

        pool = concurrent.futures.ThreadPoolExecutor(self.workers, thread_name_prefix="job")
        running = {pool.submit(work, job) for job in itertools.islice(waiting, self.workers)}
        try:
            while running:
                done, running = concurrent.futures.wait(
                    running, POLL_SECONDS, return_when=concurrent.futures.FIRST_COMPLETED
                )
                for future in done:
                    report = future.result()
                    running |= {pool.submit(work, job) for job in itertools.islice(waiting, 1)}
                    yield report
        except BaseException:  # GeneratorExit and KeyboardInterrupt among them
            stop.set()
            raise
        finally:
            pool.shutdown(wait=True)
            for context in contexts:
                context.close()
