"""``python -m benchmarks``: measure, show, and keep the figures in ``OPD_VAR/bench.json``."""

import argparse
import json
from typing import Any

from benchmarks.database import NAME, own_database
from opd_engine import environment

PARTS = ("engine", "http", "operations", "console", "live", "desk", "bills", "reports")
ENGINE_CLIENTS = (1, 8, 32)
HTTP_CLIENTS = (1, 8, 64)
REQUESTS_A_SECOND = 6000
"""More than either side can do: that many patients a second of one measurement are registered."""


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """What to measure, and for how long."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=PARTS, help="this part alone; may be given again")
    parser.add_argument("--seconds", type=int, default=3, help="of one measurement of the engine (default 3)")
    parser.add_argument("--http-seconds", type=int, default=8, help="of one measurement over HTTP (default 8)")
    parser.add_argument("--rounds", type=int, default=3, help="of engine and pgbench in turn (default 3)")
    parser.add_argument("--clients", type=int, action="append", help="connections, instead of 1, 8, 32 and 1, 8, 64")
    parser.add_argument("--streams", type=int, default=300, help="open pages of the live screens (default 300)")
    parser.add_argument("--changes", type=int, default=100, help="that are made while they are open (default 100)")
    parser.add_argument("--visits", type=int, default=100_000, help="of the history under reports (default 100000)")
    parser.add_argument("--database", default=NAME, help=f"the name of its own database (default {NAME})")
    return parser.parse_args(arguments)


def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure the parts chosen; the figures as they stand in bench.json. The database must be there."""
    from benchmarks import machine
    from benchmarks.hospital import Hospital

    figures: dict[str, Any] = {"machine": machine.describe()}
    if "on" not in figures["machine"]["fsync"]:
        print("  The server does not wait for the disk: these figures say little.")
    print("  Registering patients ...", flush=True)
    hospital = Hospital(REQUESTS_A_SECOND * max(chosen.seconds, 1))
    for part in PARTS:
        if part in (chosen.only or PARTS):
            figures[part] = _MEASURES[part](hospital, chosen)
    return figures


def _operations(hospital: Any, chosen: argparse.Namespace) -> dict[str, Any]:
    from benchmarks import operations

    found = operations.measure(hospital)
    print(f"\n  {'operation':30} {'statements':>10} {'round trips':>12}")
    for name, cost in found.items():
        print(f"  {name:30} {cost['statements']:10} {cost['round_trips']:12}", flush=True)
    return found


def _engine(hospital: Any, chosen: argparse.Namespace) -> dict[str, Any]:
    from benchmarks.comparison import compare, median
    from benchmarks.hospital import HOT_SLOT, MANY_SLOTS

    print(f"\n  Tokens a second, median of {chosen.rounds} rounds of {chosen.seconds} s on each side")
    print(f"  {'load':12} {'connections':>11} {'engine':>9} {'pgbench':>9} {'ratio':>7}")
    found: dict[str, Any] = {}
    for load in (MANY_SLOTS, HOT_SLOT):
        found[load.name] = {}
        for clients in chosen.clients or ENGINE_CLIENTS:
            pairs = list(compare(hospital, load, clients, chosen.seconds, chosen.rounds))
            line = found[load.name][str(clients)] = median(pairs).as_json()
            print(
                f"  {load.name:12} {clients:11} {line['rps']:9.0f} {line['pgbench']:9.0f} {line['ratio']:7.2f}",
                flush=True,
            )
    return found


def _http(hospital: Any, chosen: argparse.Namespace) -> dict[str, Any]:
    from benchmarks import http_load
    from benchmarks.hospital import MANY_SLOTS

    print(f"\n  POST /api/v1/tokens/ with a device's token, {chosen.http_seconds} s")
    print(f"  {'connections':>11} {'requests/s':>11} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'not 2xx':>8}")
    found = {}
    with http_load.server() as port:
        token = http_load.device(port, hospital)
        for clients in chosen.clients or HTTP_CLIENTS:
            ground = hospital.open_day(MANY_SLOTS)
            line = http_load.measure(port, token, ground, connections=clients, seconds=chosen.http_seconds)
            found[str(clients)] = line
            print(
                f"  {clients:11} {line['rps']:11.0f} {line['p50_ms']:8.1f} {line['p95_ms']:8.1f}"
                f" {line['p99_ms']:8.1f} {line['not_2xx']:8.0f}",
                flush=True,
            )
    return found


def _live(hospital: Any, chosen: argparse.Namespace) -> dict[str, Any]:
    from benchmarks import live, live_ground, report
    from benchmarks.hospital import PASSWORD
    from patients.models import Patient

    print(f"\n  {chosen.streams} open desks, {chosen.changes} changes made by another process: until they are told")
    print(f"  {'where':14} " + " ".join(f"{head:>9}" for head in report.LIVE))
    hall = live_ground.open_hall(Patient.objects.all(), PASSWORD)
    found = {}
    for name, line in live.everything(hall, streams=chosen.streams, changes=chosen.changes):
        found[name] = line
        print(f"  {name:14} " + " ".join(f"{line.get(key, ''):>9}" for key in report.LIVE.values()), flush=True)
    return found


def _console(hospital: Any, chosen: argparse.Namespace) -> dict[str, Any]:
    from benchmarks import console

    found = console.measure(hospital)
    print("\n  The doctor's console, 60 patients: milliseconds inside the server")
    print(f"  {'what':20} {'p50':>8} {'p95':>8}")
    for name, line in found.items():
        print(f"  {name:20} {line['p50_ms']:8.1f} {line['p95_ms']:8.1f}", flush=True)
    return found


def _desk(hospital: Any, chosen: argparse.Namespace) -> dict[str, Any]:
    from benchmarks import desk, http_load, live_ground
    from benchmarks.hospital import PASSWORD
    from patients.models import Patient

    hall = live_ground.open_hall(Patient.objects.filter(facility=hospital.facility), PASSWORD, name="Desk")
    with http_load.server() as port:
        found = desk.measure(hall, port)
    print("\n  The desk with 8 doctors, 64 slots and 400 tokens, over HTTP: milliseconds, and bytes compressed")
    print(f"  {'what':22} {'p50':>8} {'p95':>8} {'bytes':>8}")
    for name, line in found.items():
        print(f"  {name:22} {line['p50_ms']:8.1f} {line['p95_ms']:8.1f} {line['bytes']:8}", flush=True)
    return found


def _bills(hospital: Any, chosen: argparse.Namespace) -> dict[str, Any]:
    from benchmarks import bills

    found = bills.measure(hospital)
    heads = ("p50_ms", "p95_ms", "statements", "round_trips", "ratio")
    print("\n  Bills, from the request to the commit: milliseconds; the ratio is that of the same by hand")
    print(f"  {'what':40} " + " ".join(f"{head:>11}" for head in heads))
    for name, line in found.items():
        print(f"  {name:40} " + " ".join(f"{line.get(head, ''):>11}" for head in heads), flush=True)
    return found


def _reports(hospital: Any, chosen: argparse.Namespace) -> dict[str, Any]:
    from benchmarks import reports

    found = reports.measure(visits=chosen.visits)
    print(f"\n  Reports on {found['history']['visits']} visits, loaded in {found['history']['seconds']} s")
    heads = ("p50_ms", "p95_ms", "queries", "kb", "ratio")
    print(f"  {'page':22} " + " ".join(f"{head:>8}" for head in heads))
    for name, line in found.items():
        if name != "history":
            print(f"  {name:22} " + " ".join(f"{line.get(head, ''):>8}" for head in heads), flush=True)
    return found


_MEASURES = {
    "bills": _bills,
    "reports": _reports,
    "desk": _desk,
    "operations": _operations,
    "console": _console,
    "engine": _engine,
    "http": _http,
    "live": _live,
}


def main() -> None:
    """Measure in a database of its own, and write what was chosen beside what is known already."""
    chosen = options()
    with own_database(chosen.database):
        figures = run(chosen)
    file = environment.var_dir() / "bench.json"
    known = json.loads(file.read_text()) if chosen.only and file.exists() else {}
    file.write_text(json.dumps(known | figures, indent=2) + "\n")
    print(f"\n  Written to {file}")


if __name__ == "__main__":
    main()
