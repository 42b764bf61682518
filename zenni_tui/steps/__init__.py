"""The runbook's steps: one module each, glue only; a step never imports another."""
