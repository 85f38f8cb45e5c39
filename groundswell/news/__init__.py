"""News for people: alerts, the weekly digest and feeds."""
