"""What was measured, kept: an SQLite file of events, Parquet of angles, and what is made of them later."""
