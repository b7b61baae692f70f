"""What `make bench` runs: a fresh agent beside nginx, the machine's yardstick, and the table of both.

`processes` starts real programs (the end-to-end tests use it too), `load` drives wrk and dnsperf, `watches` holds
blocking queries open, `catalog` has the instances to measure on. `rates`, `wakeups` and `footprint` each measure one
family; `table` knows the goals and prints. Figures are printed, never asserted: a shared machine must not fail a test
for being slow.
"""
