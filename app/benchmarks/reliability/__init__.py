"""The promises REL1 to REL7 of `docs/reliability.md`, each as a function with a count and a seed.

The suite runs them short, `layerloom bench reliability` long. Each returns a `Figure`.
"""
