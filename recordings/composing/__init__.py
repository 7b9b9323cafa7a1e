"""The server's side of composition: takes jobs from the queue in the database and runs `recordings.compose` for each.

Any number of nodes may work on one queue. A job is claimed with a lease that its supervisor renews while the process
lives; a node that dies lets it run out, and another goes on with it. An attempt that crashes is repeated a bounded
number of times; one that finds no room waits until there is some, for as long as it takes.

Invariant: a job ends with its recording ready, damaged or failed, in the transaction that deletes the job.
"""
