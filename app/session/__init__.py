"""What stands between window and engine, without Qt: queue, jobs, client, monitor, settings."""
