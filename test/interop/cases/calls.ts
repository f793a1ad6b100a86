/**
 * Calls from SIPp to SIPp through the server: set-up, hanging up from either side, refusals, CANCEL, hold, and many calls
 * at once with every media port given back (RFC 3261 §9, §13–§15; RFC 3264 §8.4).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { CaseContext, InteropCase } from '../case.ts'
import { boundPortsBetween } from '../support/network.ts'
import type { Server } from '../support/server.ts'
import { runSipp, Sipp, type SippOptions } from '../support/sipp.ts'

/** What a pair of scenarios is run with. */
export interface PairOptions {
  readonly uac: string
  readonly uas: string
  readonly transport?: 'u1' | 't1'
  readonly calleeTransport?: 'u1' | 't1'
  readonly calls?: number
  readonly rate?: number
  readonly pauseMs?: number
  readonly replace?: Readonly<Record<string, string>>
}

/** A caller and a registered callee, both running. */
export interface Pair {
  readonly caller: Sipp
  readonly callee: Sipp
}

/** Registers the callee, starts it, and lets the caller call it. */
export async function startPair({ server, workDir }: CaseContext, options: PairOptions): Promise<Pair> {
  const callee = server.takeUser()
  const shared = {
    workDir,
    ...(options.calls === undefined ? {} : { calls: options.calls }),
    ...(options.pauseMs === undefined ? {} : { pauseMs: options.pauseMs }),
    timeoutMs: 20_000,
  } satisfies Partial<SippOptions>
  const atCallee = options.calleeTransport === undefined ? {} : { transport: options.calleeTransport }
  const registration = await Sipp.start({
    workDir,
    scenario: 'register',
    target: server.target,
    user: callee,
    ...atCallee,
  })
  await registration.passes()
  const uas = await Sipp.start({ ...shared, scenario: options.uas, port: registration.port, ...atCallee })
  await uas.listens()
  const uac = await Sipp.start({
    ...shared,
    scenario: options.uac,
    target: server.target,
    user: server.takeUser(),
    callee: callee.name,
    ...(options.transport === undefined ? {} : { transport: options.transport }),
    ...(options.rate === undefined ? {} : { rate: options.rate }),
    ...(options.replace === undefined ? {} : { replace: options.replace }),
  })
  return { caller: uac, callee: uas }
}

async function runPair(context: CaseContext, options: PairOptions): Promise<void> {
  const { caller, callee } = await startPair(context, options)
  // Once one side has failed the other would only wait for its own time to run out.
  const sides = [caller.passes(), callee.passes()].map((side, index) =>
    side.catch(async (error: unknown) => {
      await sleep(1000)
      const other = index === 0 ? callee : caller
      if (!other.program.hasExited) other.program.kill()
      throw error
    }),
  )
  const results = await Promise.allSettled(sides)
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []))
  if (failures.length > 0) throw new Error(failures.join('\n'))
}

async function expectMediaPortsFree(server: Server): Promise<void> {
  let bound = 0
  for (let attempt = 0; attempt < 50; attempt++) {
    bound = boundPortsBetween(server.mediaPortMin, server.mediaPortMax)
    if (bound === 0) return
    await sleep(100)
  }
  throw new Error(`${bound} media ports are still open after the last call ended`)
}

function refused(name: string, status: string, callee: (server: Server) => string): InteropCase {
  return {
    name,
    run: ({ server, workDir }) =>
      runSipp({
        workDir,
        scenario: 'uac-refused',
        target: server.target,
        user: server.takeUser(),
        callee: callee(server),
        replace: { STATUS: status },
      }),
  }
}

export const callCases: readonly InteropCase[] = [
  {
    name: 'SIPp calls SIPp over UDP and hangs up',
    run: async (context) => {
      await runPair(context, { uac: 'uac', uas: 'uas' })
      await expectMediaPortsFree(context.server)
    },
  },
  {
    name: 'SIPp calls SIPp from TCP to UDP and hangs up',
    run: (context) => runPair(context, { uac: 'uac', uas: 'uas', transport: 't1' }),
  },
  {
    name: 'SIPp calls SIPp over TCP on both sides and hangs up',
    run: (context) => runPair(context, { uac: 'uac', uas: 'uas', transport: 't1', calleeTransport: 't1' }),
  },
  {
    name: 'the called SIPp hangs up',
    run: async (context) => {
      await runPair(context, { uac: 'uac-remote-bye', uas: 'uas-hangs-up' })
      await expectMediaPortsFree(context.server)
    },
  },
  {
    name: 'SIPp cancels before the answer: 487',
    run: async (context) => {
      await runPair(context, { uac: 'uac-cancel', uas: 'uas-cancelled' })
      await expectMediaPortsFree(context.server)
    },
  },
  {
    name: 'the called SIPp is busy: 486',
    run: async (context) => {
      await runPair(context, { uac: 'uac-refused', uas: 'uas-busy', replace: { STATUS: '486' } })
      await expectMediaPortsFree(context.server)
    },
  },
  refused('SIPp calls a number that nobody has: 404', '404', () => '9999'),
  refused('SIPp calls a phone that is not registered: 480', '480', (server) => server.takeUser().name),
  {
    name: 'SIPp holds and resumes with re-INVITE, on the same media port',
    run: (context) => runPair(context, { uac: 'uac-hold', uas: 'uas-hold' }),
  },
  {
    name: '200 calls of SIPp at 50 a second, every media port given back',
    run: async (context) => {
      await runPair(context, { uac: 'uac', uas: 'uas', calls: 200, rate: 50, pauseMs: 1000 })
      await expectMediaPortsFree(context.server)
    },
  },
]
