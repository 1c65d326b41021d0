"""Speed beside the peers (`python -m benchmarks.bench`) and quality beside the papers (`python -m benchmarks.claims`).

This package imports nothing here: its contenders run in environments of their own, where Ganglion is not installed.
"""
