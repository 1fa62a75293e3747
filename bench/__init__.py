"""What Headcount costs, next to what one would otherwise use: `make bench`, and README.md here."""
