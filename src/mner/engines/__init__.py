"""RUN A FUNCTION OVER SHARDS, RESUMABLE: local, processes, ray.

``shards`` keeps the folder of results, ``worker_pool`` hands tasks to workers and outlives those that end; ``local``
runs in this process, ``processes`` and ``ray`` are pools of workers.
"""
