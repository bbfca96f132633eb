"""Backends that are given names and say where a picture shows them, one file each."""
