"""The top floor: settings, the site map, the server, the embedded database. Nothing imports it."""
