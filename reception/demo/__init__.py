"""The demo hospital: a newcomer sees a busy hall right away, and every rule at work in some department."""

from reception.demo.freshening import freshen
from reception.demo.loading import STEPS, load

__all__ = ["STEPS", "freshen", "load"]
