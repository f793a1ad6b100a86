/**
 * SIGTERM in the middle of a call: both sides get a BYE, the process ends with 0 and leaves nothing listening.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { InteropCase } from '../case.ts'
import { boundPortsBetween, isPortFree, socketsOf } from '../support/network.ts'
import { startPair } from './calls.ts'

export const shutdownCases: readonly InteropCase[] = [
  {
    name: 'SIGTERM during a call: BYE to both sides, exit 0, no port left open',
    endsServer: true,
    run: async (context) => {
      const { server } = context
      const { caller, callee } = await startPair(context, { uac: 'uac-remote-bye', uas: 'uas', pauseMs: 15_000 })
      await expectMediaOpen(server.mediaPortMin, server.mediaPortMax)
      const before = server.program.pid === undefined ? [] : socketsOf(server.program.pid)
      if (!before.includes(`udp:${server.port}`) || !before.includes(`tcp:${server.port}`)) {
        throw new Error(`the server should listen on UDP and TCP ${server.port}: ${before.join(' ')}`)
      }
      // The call is answered by now; the ACK may still be on its way.
      await sleep(500)
      server.program.signal('SIGTERM')
      const exit = await server.program.waitForExit(15_000)
      if (exit.code !== 0) throw new Error(`the server ended with ${exit.code ?? exit.signal}, not with 0`)
      await Promise.all([caller.passes(), callee.passes()])
      if (!(await isPortFree(server.port))) throw new Error(`port ${server.port} is still open`)
      const left = boundPortsBetween(server.mediaPortMin, server.mediaPortMax)
      if (left !== 0) throw new Error(`${left} media ports are still open`)
    },
  },
]

async function expectMediaOpen(first: number, last: number): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    if (boundPortsBetween(first, last) >= 4) return
    await sleep(100)
  }
  throw new Error('the call did not open its media ports')
}
