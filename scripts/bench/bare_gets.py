"""The floor of asking a VMA: as many GETs by an httpx.AsyncClient on its fastest transport, and nothing else.

    .venv/bin/python scripts/bench/bare_gets.py URL COUNT AT_ONCE [PER_SECOND]

With PER_SECOND they begin evenly spread over time, as polls do, and otherwise as fast as AT_ONCE requests in progress
allow. Prints the seconds and the seconds of CPU.
"""

import asyncio
import sys
import time

import httpx
from httpx_aiohttp import AiohttpTransport


async def get_all(url: str, count: int, at_once: int, per_second: int) -> None:
    """Send all, and print what they took."""
    slots = asyncio.Semaphore(at_once)
    async with httpx.AsyncClient(transport=AiohttpTransport(trust_env=False), trust_env=False) as client:

        async def get(number: int) -> None:
            if per_second:
                await asyncio.sleep(number / per_second)
            async with slots:
                (await client.get(f"{url}/api/v1/progress/migration-vol-disk-job-{number:05}")).raise_for_status()

        await get(0)
        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*map(get, range(count)))
        print(time.perf_counter() - began, time.process_time() - cpu)


if __name__ == "__main__":
    asyncio.run(get_all(sys.argv[1], *map(int, [*sys.argv[2:], "0"][:3])))
