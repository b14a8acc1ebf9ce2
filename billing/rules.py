"""The arithmetic of bills. Pure: no Django, no clock, no settings."""
