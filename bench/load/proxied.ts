/**
 * What a call costs that is passed on: by a stateful proxy with Record-Route, beside Kamailio configured the same; forked to
 * ten; and by a back-to-back user agent.
 */
import { figure, ratio, type Verdict } from '../support/report.ts'
import type { CallResult } from './call-generator.ts'
import { runGenerator } from './generator.ts'
import { cpuMicroseconds } from './pinned.ts'
import type { Row } from './row.ts'
import type { LoadedServer } from './servers.ts'

/** Calls a second, and the user who is called. */
export interface ProxiedLoad {
  readonly rate: number
  readonly user: string
}

/** One call to one callee; and to ten, nine of whom ring until they are cancelled. */
export const proxiedLoads = { one: { rate: 1500, user: 'callee' }, forked: { rate: 200, user: 'fork' } } as const

/** Timers of 32 s run out while the server is settled, as in every other row. */
const warmUpSeconds = 5
const settleSeconds = 34
const measuredSeconds = 8
const rounds = 3
const [proxyRatioMax, bridgeRatioMax, forkRatioMax] = [1, 1.6, 5]

/** The further columns of the tables. */
export const proxiedColumns = ['rounds', 'p50 µs', 'p99 µs']

/** Loads each server in turn, as the loads of requests do; the median of the rounds counts. */
export async function proxiedLoad(servers: readonly LoadedServer[], load: ProxiedLoad): Promise<Row[]> {
  for (const server of servers) await settle(server, load)
  const measured = servers.map((): { cpuUs: number; result: CallResult }[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [index, server] of servers.entries()) {
      const before = cpuMicroseconds(server.pid)
      const result = await generate(server, load, measuredSeconds)
      const cpuUs = (cpuMicroseconds(server.pid) - before) / Math.max(1, result.completed)
      measured[index]?.push({ cpuUs, result })
    }
  }
  return servers.flatMap((server, index) => {
    const found = (measured[index] ?? []).sort((a, b) => a.cpuUs - b.cpuUs)
    const [lowest, median, highest] = [found[0], found[rounds >> 1], found[rounds - 1]]
    if (median === undefined || lowest === undefined || highest === undefined) return []
    const { begun, completed, answerUsP50, answerUsP99 } = median.result
    const range = `${figure(lowest.cpuUs)} to ${figure(highest.cpuUs)}`
    const extra = [range, figure(answerUsP50), figure(answerUsP99)]
    return [{ server, cpuUs: median.cpuUs, result: `${completed} of ${begun}`, extra }]
  })
}

/** A server that has just begun is slow, and may rightly turn calls away: what it loses now counts nowhere. */
async function settle(server: LoadedServer, { rate, user }: ProxiedLoad): Promise<void> {
  await runGenerator<CallResult>('./proxied-call-generator.ts', [server.port, rate / 4, warmUpSeconds, user])
  await runGenerator<CallResult>('./proxied-call-generator.ts', [server.port, rate, settleSeconds, user])
}

async function generate(server: LoadedServer, load: ProxiedLoad, seconds: number): Promise<CallResult> {
  const args = [server.port, load.rate, seconds, load.user]
  const result = await runGenerator<CallResult>('./proxied-call-generator.ts', args)
  if (result.completed < result.begun * 0.99) {
    const done = `${server.name} completed ${result.completed} of ${result.begun} calls, refused ${result.refused}`
    throw new Error(`${done}; it wrote:\n${server.output().slice(-2000)}`)
  }
  return result
}

/** What {@link proxiedLoad} has found, against what is required. */
export function proxiedVerdicts(proxied: readonly Row[], forked: readonly Row[], bridged: readonly Row[]): Verdict[] {
  const own = costOf(proxied, 'carillon')
  return [
    verdict('a proxied call', own, costOf(proxied, 'kamailio'), proxyRatioMax, 'that of Kamailio'),
    verdict('a bridged call', costOf(bridged, 'carillon'), own, bridgeRatioMax, 'a proxied one'),
    verdict('a call forked to ten', costOf(forked, 'carillon'), own, forkRatioMax, 'one to one callee'),
  ]
}

function costOf(rows: readonly Row[], name: string): number {
  return rows.find((row) => row.server.name === name)?.cpuUs ?? Number.NaN
}

function verdict(what: string, own: number, other: number, ratioMax: number, named: string): Verdict {
  return {
    name: `${what} costs at most ${ratioMax} times the CPU of ${named}`,
    isMet: own <= ratioMax * other,
    detail: `${figure(own)} µs against ${figure(other)} µs: ${ratio(own, other)}`,
  }
}
