"""The rehearsal: the whole loop played through on simulated days, unattended, in a copy."""
