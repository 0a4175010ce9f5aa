"""`/{tenant}/controller/v1/{controller}/…`: polls, deployments, feedback, artifacts."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from skerry.sync.hawkbit.artifacts import Artifacts
from skerry.sync.hawkbit.callers import Callers
from skerry.sync.hawkbit.contents import NotPublished
from skerry.sync.hawkbit.messages import (
    ConfigData,
    Execution,
    Feedback,
    Finished,
    action_id,
    deployment,
    polled,
)
from skerry.sync.offers import Report, Stage
from skerry.sync.rollouts.plan import Mode, Version
from skerry.sync.rollouts.rollout import Rollout
from skerry.sync.rollouts.states import RolloutState
from skerry.sync.rollouts.targets import BACK, Told, told, tries
from skerry.sync.server.errors import Refusal, as_refusal
from skerry.sync.server.live import LiveRollouts
from skerry.sync.server.state import Fleet
from skerry.sync.server.state.ddi import Artifact
from skerry.sync.server.state.records import Enrolled, Seen
from skerry.sync.server.state.targets import Saying, Telling
from skerry.sync.server.wire import Json, body_of, decoded

_BASE = "/{tenant}/controller/v1/{controller}"
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_FAILED = (Execution.REJECTED, Execution.CANCELED)


class DdiApi:
    """A device is offered what `told` says, as any other; see `skerry.sync.server.devices_api`."""

    def __init__(
        self,
        fleet: Fleet,
        rollouts: LiveRollouts,
        artifacts: Artifacts,
        *,
        poll_s: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._fleet, self._rollouts, self._artifacts = fleet, rollouts, artifacts
        self._callers = Callers(fleet, clock=clock)
        self._poll_s, self._clock = poll_s, clock

    def add_to(self, app: Starlette) -> None:
        for path, method, handler in (
            ("", "GET", self.poll),
            ("/configData", "PUT", self.configure),
            ("/deploymentBase/{action:int}", "GET", self.deployment),
            ("/deploymentBase/{action:int}/feedback", "POST", self.feedback),
            ("/cancelAction/{action:int}", "GET", self.cancelation),
            ("/cancelAction/{action:int}/feedback", "POST", self.canceled),
            ("/softwaremodules/{key}/artifacts/{filename}", "GET", self.download),
        ):
            app.router.routes.append(Route(_BASE + path, self._guarded(handler), methods=[method]))

    async def poll(self, request: Request, device: Enrolled) -> Response:
        await self._saw(device)
        stops = await self._halted(device)
        action = None
        if stops is None:
            offer = await self._offer(device)
            action = action_id(device.id, offer.id) if offer is not None else None
        stop = action_id(device.id, f"{stops}:cancel") if stops is not None else None
        return Json(polled(_base(request), self._poll_s, action, stop))

    async def configure(self, request: Request, device: Enrolled) -> Response:
        """The attribute `profile` is the device's; others are not kept."""
        data = decoded(await body_of(request), ConfigData).data
        if profile := data.get("profile"):
            await self._saw(replace(device, profile=profile[:128]))
        return Response()

    async def deployment(self, request: Request, device: Enrolled) -> Response:
        offer, version, _ = self._action(request, device)
        artifact = await self._artifacts.ready(version)
        if artifact is None:
            raise Refusal(404, "no_artifact", f"the artifact of '{offer}' is not ready")
        filename = _filename(version)
        return Json(deployment(
            _base(request), request.path_params["action"], name=version.target.split("/")[-3],
            version=version.version, filename=filename, hashes=artifact.hashes, key=artifact.key,
        ))  # fmt: skip

    async def feedback(self, request: Request, device: Enrolled) -> Response:
        offer, version, rollout = self._action(request, device)
        status = decoded(await body_of(request), Feedback).status
        stage = _stage(status.execution, status.result.finished)
        if stage is Stage.CONFIRMED:
            await self._saw(replace(device, digest=version.digest, version=version.version))
        if stage is not None and not offer.endswith(f":{BACK}"):
            what = " ".join(status.details or ())[:300].replace("\n", " ")
            report = Report(offer=offer, digest=version.digest, stage=stage, what=what)
            saying = Saying(device.id, device.profile, rollout.plan, report)
            await asyncio.to_thread(self._fleet.targets.say, [saying], self._clock())
        return Response()

    async def cancelation(self, request: Request, device: Enrolled) -> Response:
        stops = self._stops(request, device)
        action = action_id(device.id, stops)
        one = str(request.path_params["action"])
        return Json({"id": one, "cancelAction": {"stopId": str(action)}})

    async def canceled(self, request: Request, device: Enrolled) -> Response:
        """A device that cannot stop any more goes on, and says so in its deployment's feedback."""
        stops = self._stops(request, device)
        status = decoded(await body_of(request), Feedback).status
        if status.execution is Execution.CLOSED and status.result.finished is Finished.SUCCESS:
            rollout = stops.partition(":")[0]
            await asyncio.to_thread(self._fleet.ddi.cancel, device.id, rollout, self._clock())
        return Response()

    async def download(self, request: Request, device: Enrolled) -> Response:
        key, name = request.path_params["key"], request.path_params["filename"]
        artifact = await self._artifacts.get(key)
        if artifact is None or not self._is_theirs(artifact, device):
            raise Refusal(404, "no_artifact", "there is no such artifact")
        filename = _filename(artifact.version)
        if name == f"{filename}.MD5SUM":
            return PlainTextResponse(f"{artifact.hashes.md5}  {filename}\n")
        if name != filename:
            raise Refusal(404, "no_artifact", "there is no such artifact")
        return await self._sent(request, artifact)

    async def _sent(self, request: Request, artifact: Artifact) -> Response:
        size = artifact.hashes.size
        start, end = _range(request.headers.get("range"), size)
        try:
            tar = await asyncio.to_thread(self._artifacts.tar, artifact)
        except NotPublished as error:
            raise Refusal(404, "no_artifact", str(error)) from None
        headers = {
            "accept-ranges": "bytes", "content-length": str(end - start),
            "etag": f'"{artifact.hashes.sha1}"',
        }  # fmt: skip
        partial = (start, end) != (0, size)
        if partial:
            headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
        blocks: Iterator[bytes] = tar.read(start, end)
        return StreamingResponse(
            blocks, 206 if partial else 200, headers, media_type="application/octet-stream"
        )

    async def _offer(self, device: Enrolled) -> Told | None:
        offer = told(self._rollouts.of(device.tenant, device.channel), device.as_device)
        if offer is None or offer.mode is Mode.SHADOW:
            return None
        if await self._artifacts.ready(offer.version) is None:
            return None
        if offer.attempt:
            telling = [Telling(device.id, offer)]
            ((state, attempt),) = await asyncio.to_thread(
                self._fleet.targets.tell, telling, self._clock()
            )
            if not tries(state, attempt, offer):
                return None
        return offer

    async def _halted(self, device: Enrolled) -> str | None:
        """An offer that the device was told, and is to give up."""
        for one, attempt in await asyncio.to_thread(self._fleet.ddi.under_way, device.id):
            rollout = self._rollouts.get(device.tenant, one)
            if rollout is not None and rollout.state is RolloutState.STOPPED:
                return f"{one}:{attempt}"
        return None

    def _action(self, request: Request, device: Enrolled) -> tuple[str, Version, Rollout]:
        """The offer whose number the path has, its version and rollout.

        Raises:
            Refusal: 404: no offer of this device has it.
        """
        wanted = request.path_params["action"]
        for rollout in self._rollouts.of(device.tenant, device.channel):
            plan = rollout.plan
            for offer in _offers(rollout):
                if action_id(device.id, offer) == wanted:
                    return offer, plan.version, rollout
            back = f"{plan.id}:{BACK}"
            if plan.previous is not None and action_id(device.id, back) == wanted:
                return back, plan.previous, rollout
        raise Refusal(404, "no_action", "there is no such action of this device")

    def _stops(self, request: Request, device: Enrolled) -> str:
        wanted = request.path_params["action"]
        for rollout in self._rollouts.of(device.tenant, device.channel):
            for offer in _offers(rollout):
                if action_id(device.id, f"{offer}:cancel") == wanted:
                    return offer
        raise Refusal(404, "no_action", "there is no such action of this device")

    def _is_theirs(self, artifact: Artifact, device: Enrolled) -> bool:
        plans = [one.plan for one in self._rollouts.of(device.tenant, device.channel)]
        versions = [one for plan in plans for one in (plan.version, plan.previous)]
        return any(one is not None and one.digest == artifact.version.digest for one in versions)

    async def _saw(self, device: Enrolled) -> None:
        seen = Seen(
            device.id, self._clock(), device.signed_at, device.profile, device.digest,
            device.version, device.free_bytes,
        )  # fmt: skip
        await asyncio.to_thread(self._fleet.devices.seen, [seen])

    def _guarded(
        self, handler: Callable[[Request, Enrolled], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            try:
                device = await asyncio.to_thread(self._callers.device, request)
                return await handler(request, device)
            except Exception as error:  # noqa: BLE001  each is an answer
                refusal = as_refusal(error)
                return Response(refusal.body(), refusal.status, refusal.headers())

        return guarded


def _offers(rollout: Rollout) -> Iterator[str]:
    return (f"{rollout.plan.id}:{attempt}" for attempt in range(1, rollout.attempt + 1))


def _base(request: Request) -> str:
    tenant, controller = request.path_params["tenant"], request.path_params["controller"]
    root = str(request.base_url).rstrip("/")
    return f"{root}/{tenant}/controller/v1/{controller}"


def _filename(version: Version) -> str:
    name = version.target.split("/")[-3] if version.target.count("/") >= 2 else "bundle"
    return re.sub(r"[^A-Za-z0-9._-]", "_", f"{name}-{version.version}.tar")


def _stage(execution: Execution, finished: Finished) -> Stage | None:
    """What a feedback says of an update; None: it is under way."""
    if execution in _FAILED:
        return Stage.FAILED
    if execution is Execution.CLOSED:
        return Stage.CONFIRMED if finished is Finished.SUCCESS else Stage.FAILED
    return None


def _range(given: str | None, size: int) -> tuple[int, int]:
    """The first byte and the one after the last. Several ranges are answered with all of it.

    Raises:
        Refusal: 416: nothing of it is there.
    """
    found = _RANGE.fullmatch(given or "")
    if found is None or found[1] == found[2] == "":
        return 0, size
    if not found[1]:
        return max(0, size - int(found[2])), size
    start, end = int(found[1]), min(size, int(found[2]) + 1) if found[2] else size
    if start >= size or end <= start:
        raise Refusal(416, "range", f"the artifact has {size} bytes")
    return start, end
