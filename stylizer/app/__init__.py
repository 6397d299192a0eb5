"""The command line: options, settings, commands. Nothing imports it."""
