"""Which workers compute the cells of a study."""

from __future__ import annotations

from contextlib import AbstractContextManager

from interlingua.study.crew import Assignment, Cluster, Crew, devices_of


def crew_of(assignment: Assignment, cluster: Cluster | None) -> AbstractContextManager[Crew]:
    """Return the crew of a study: that of the cluster, or of the devices that its config names."""
    if cluster is not None:
        from interlingua.study.cluster import RayCrew

        return RayCrew(assignment, cluster)
    devices = devices_of(assignment.config)
    if len(devices) == 1:
        from interlingua.study.alone import Alone

        return Alone(assignment, devices[0])
    from interlingua.study.processes import Processes

    return Processes(assignment, devices)
