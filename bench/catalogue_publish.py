"""Publishing: queued jobs (BENCH_PUBLISH_JOBS, 100) whose outputs are GeoTIFFs at their provider,
each fetched, described, drawn and published by the worker; next to describing and drawing the same
files alone, in a process that does nothing else, which is the work that nobody is spared.

Outputs per second on two cores are told from the processor time of all processes, as walls lie when
others use the machine. Then one job of 100 outputs: memory, and the writing of its record.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

AIM = 20.0  # outputs per second on two cores
AIM_MB = 20
JOBS = os.environ.get("BENCH_PUBLISH_JOBS", "100")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tep-bench-") as folder:
        environment = {k: v for k, v in os.environ.items() if k != "TEST_DATABASE_URL"}
        environment |= {
            "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
            "DJANGO_SETTINGS_MODULE": "portal.settings.test",
        }
        command = [sys.executable, "-m", "bench._publish_run", folder, JOBS]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr[-3000:])
    told = dict(line.split("=") for line in done.stdout.split() if "=" in line)
    ours, alone = float(told["cpu"]), float(told["alone"])
    print(
        f"{told['outputs']} outputs of {JOBS} jobs: {ours * 1000:.0f} ms of processor time each,"
        f" {2 / ours:.1f} a second on two cores (aim {AIM:.0f}), {told['rate']} by the clock;"
        f" describing and drawing alone {alone * 1000:.0f} ms, ratio {ours / alone:.2f}"
    )
    print(
        f"one job of 100 outputs: {told['grown']} MB more at most than with 10 (aim < {AIM_MB});"
        f" its record is written by {told['transactions']} transaction, {told['statements']}"
        f" statements, with 10 outputs {told['statements10']}"
    )


if __name__ == "__main__":
    main()
