"""The program that makes the model which comes with the package: python -m lab.ready.build."""
