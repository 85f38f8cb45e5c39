"""What tests, benchmarks and training share."""
