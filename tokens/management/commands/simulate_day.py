"""``manage.py simulate_day``: a made-up day through the real engine, of which nothing stays."""

import json
from argparse import ArgumentParser
from dataclasses import fields
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from common.errors import DomainError
from tokens.facts import PRESETS
from tokens.simulation.day import BOUNDS, Plan
from tokens.simulation.ground import prepare_database
from tokens.simulation.made_up import simulate


class Command(BaseCommand):
    """Prints the answer of the simulation as JSON."""

    help = "Play one made-up day through the real actions, roll it back, and print what happened as JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The size of the day."""
        usual = Plan()
        for name, (least, most) in BOUNDS.items():
            option = f"--{name.replace('_', '-')}"
            parser.add_argument(option, type=int, default=getattr(usual, name), help=f"{least} to {most}")
        parser.add_argument("--seed", type=int, default=usual.seed, help="the same seed gives the same day")
        parser.add_argument("--policy", choices=sorted(PRESETS), default=usual.policy)
        parser.add_argument("--timeline", action="store_true", help="print every step too")

    def handle(self, *args: Any, **options: Any) -> None:
        """Play and print."""
        plan = Plan(**{field.name: options[field.name] for field in fields(Plan)})
        prepare_database()
        with tqdm(total=plan.requests, desc=plan.policy, unit="request", disable=not options["verbosity"]) as bar:
            try:
                answer = simulate(plan, done=bar.update)
            except DomainError as refusal:
                raise CommandError(str(refusal)) from refusal
        if not options["timeline"]:
            del answer["timeline"]
        self.stdout.write(json.dumps(answer, indent=2))
