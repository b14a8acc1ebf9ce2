"""The same transaction by hand: `reference.sql`, driven by PostgreSQL's own pgbench."""

import os
import re
import subprocess
from collections import Counter
from pathlib import Path

from django.db import connection
from psycopg.conninfo import make_conninfo

from accounts.models import User
from benchmarks.engine import Result
from benchmarks.hospital import Ground
from opd_engine import embedded

SCRIPT = Path(__file__).with_name("reference.sql")


def measure(ground: Ground, *, clients: int, seconds: float, by: User, requests: int | None = None) -> Result:
    """Run the script over `clients` connections for `seconds` (whole ones, at least one: pgbench knows no others).

    Args:
        requests: that many on each connection instead, however long they take.

    Raises:
        RuntimeError: pgbench failed; its words are in the message.
    """
    variables = {
        "made": -1,
        "clients": clients,
        "first_patient": ground.first_patient,
        "patients": ground.patients,
        "first_slot": ground.first_slot,
        "slots": ground.load.slots,
        "actor": by.pk,
    }
    ended = subprocess.run(
        [
            str(embedded.binaries() / "pgbench"),
            "--no-vacuum",
            "--protocol=prepared",
            f"--client={clients}",
            f"--jobs={min(clients, os.cpu_count() or 1)}",
            f"--transactions={requests}" if requests else f"--time={max(1, round(seconds))}",
            f"--file={SCRIPT}",
            *(f"--define={name}={value}" for name, value in variables.items()),
            _address(),
        ],
        env=os.environ | {"PGPASSWORD": connection.settings_dict["PASSWORD"]},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise RuntimeError(f"pgbench failed: {ended.stderr[:2000]}")
    return _result(ended.stdout)


def _address() -> str:
    """Where the benchmark's database is, in libpq's words; the password is nobody else's business."""
    parameters = connection.get_connection_params()
    wanted = ("host", "port", "user", "dbname", "sslmode", "sslrootcert")
    return make_conninfo(**{name: parameters[name] for name in wanted if parameters.get(name)})


def _result(report: str) -> Result:
    """What pgbench's report says; its rate leaves out the time to connect."""
    rate = re.search(r"^tps = ([\d.]+)", report, re.MULTILINE)
    done = re.search(r"actually processed: (\d+)", report)
    failed = re.search(r"failed transactions: (\d+)", report)
    if not rate or not done:
        raise RuntimeError(f"pgbench said something unknown: {report[:2000]}")
    lost = int(failed.group(1)) if failed else 0
    return Result(float(rate.group(1)), int(done.group(1)), Counter({"failed transactions": lost} if lost else {}))
