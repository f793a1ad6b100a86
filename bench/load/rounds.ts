/**
 * How a load is measured: servers in turn, several rounds, of which the median counts; and what is required of the result. A
 * server that has just begun looks cheaper than it is, and so does one that is measured while the machine is quiet.
 */
import { figure, ratio, type Verdict } from '../support/report.ts'
import { cpuMicroseconds } from './pinned.ts'
import type { Row } from './row.ts'
import type { LoadedServer } from './servers.ts'

/** Longer than what a server keeps of finished requests (32 s of them: Timer J, RFC 3261 §17.2.2). */
export const settleSeconds = 34
/** The length of a round. */
export const measuredSeconds = 8
/** Of which the median counts; the machine is never quite idle. */
const rounds = 3

/** The further columns of the tables. */
export const roundColumns = ['rounds', 'p50 µs', 'p99 µs']

/** What one round has done. */
export interface RoundResult {
  readonly begun: number
  readonly done: number
  readonly latencyUsP50: number
  readonly latencyUsP99: number
}

/** A round on one server. */
export type Round = (server: LoadedServer, seconds: number) => Promise<RoundResult>

/** Measures servers that are settled, in turn; a row each. */
export async function measureRounds(servers: readonly LoadedServer[], load: Round): Promise<Row[]> {
  const measured = servers.map((): { cpuUs: number; result: RoundResult }[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [index, server] of servers.entries()) {
      const before = cpuMicroseconds(server.pid)
      const result = await load(server, measuredSeconds)
      const cpuUs = (cpuMicroseconds(server.pid) - before) / Math.max(1, result.done)
      measured[index]?.push({ cpuUs, result })
    }
  }
  return servers.flatMap((server, index) => {
    const found = (measured[index] ?? []).sort((a, b) => a.cpuUs - b.cpuUs)
    const [lowest, median, highest] = [found[0], found[rounds >> 1], found[rounds - 1]]
    if (median === undefined || lowest === undefined || highest === undefined) return []
    const { done, begun, latencyUsP50, latencyUsP99 } = median.result
    const range = `${figure(lowest.cpuUs)} to ${figure(highest.cpuUs)}`
    const extra = [range, figure(latencyUsP50), figure(latencyUsP99)]
    return [{ server, cpuUs: median.cpuUs, result: `${done} of ${begun}`, extra }]
  })
}

/** The cost at one server; NaN when it was not measured. */
export function costOf(rows: readonly Row[], name: string): number {
  return rows.find((row) => row.server.name === name)?.cpuUs ?? Number.NaN
}

/** What something costs, against what it may: so many times something else. */
export function costVerdict(what: string, own: number, other: number, ratioMax: number, named: string): Verdict {
  return {
    name: `${what} costs at most ${ratioMax} times the CPU of ${named}`,
    isMet: own <= ratioMax * other,
    detail: `${figure(own)} µs against ${figure(other)} µs: ${ratio(own, other)}`,
  }
}
