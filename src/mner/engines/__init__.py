"""RUN A FUNCTION OVER SHARDS, RESUMABLE: in this process, in several, on a Ray cluster.

``shards`` keeps the folder of results, ``worker_pool`` hands tasks to workers and outlives those that end;
``processes`` and ``ray`` are pools of workers.
"""
