"""Mutation testing: each rule is changed a little, and a test must notice."""
