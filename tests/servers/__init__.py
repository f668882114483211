"""Real servers for tests, started on loopback: Ceph for S3, PostgreSQL, and a proxy that fails."""
