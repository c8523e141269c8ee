"""Every scenario of trouble, and what became of each sample.

Run from the root of the repository::

    python -m benchmarks.chaos [NAME ...]

Samples made = delivered + backfilled + lost (as the bridge reports it) + vanished (with the RAM of a sensor
that broke down, unheard of). Repetitions: those found in all sets with what came, of those that were done.
Exit status 1 where an account does not balance, or the number of repetitions is not right.
"""

from __future__ import annotations

import argparse
import logging
import sys

from benchmarks.accuracy.layout import table
from benchmarks.chaos.run import run
from hardware_sim.chaos import chaos_names, load_chaos

HEADER = (
    "scenario",
    "hours",
    "took s",
    "links",
    "streams",
    "made",
    "delivered",
    "backfilled",
    "lost",
    "vanished",
    "doubles",
    "balance",
    "repetitions",
)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="scenarios or TOML files; all without")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    rows, is_balanced, simulated_s = [], True, 0.0
    for name in arguments.names or chaos_names():
        outcome = run(load_chaos(name))
        account = outcome.account
        is_balanced &= account.imbalance == account.wrong == 0 and outcome.counts_agree
        found = sum(len(each) for each in outcome.healed)
        simulated_s += outcome.simulated_s
        rows.append(
            (
                name,
                f"{outcome.simulated_s / 3600:.2f}",
                f"{outcome.wall_s:.1f}",
                outcome.links,
                account.streams,
                account.made,
                account.delivered,
                account.backfilled,
                account.reported_lost,
                account.vanished,
                account.doubles,
                f"{account.imbalance:+d}" if account.imbalance else "0",
                f"{found}/{outcome.n_repetitions * len(outcome.healed)}",
            )
        )
        print(" ".join(str(cell) for cell in rows[-1]), file=sys.stderr, flush=True)
    print(table(f"{simulated_s / 3600:.1f} hours of trouble", HEADER, rows))
    return 0 if is_balanced else 1


if __name__ == "__main__":
    sys.exit(main())
