"""HTTP bodies and replies: forms, JSON, problem details, schemas."""
