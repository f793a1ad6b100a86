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

interface Measured {
  readonly cpuUs: number
  readonly result: RoundResult
}

/** A round on one server. */
export type Round = (server: LoadedServer, seconds: number) => Promise<RoundResult>

/** So much was lost in a round that it measures nothing. The machine is shared: one such round is made again. */
export class LostRound extends Error {}

const repeatsMax = 3

/** Measures servers that are settled, in turn; a row each. Rejects with a LostRound when a server loses one after the other. */
export async function measureRounds(servers: readonly LoadedServer[], load: Round): Promise<Row[]> {
  const measured = servers.map((): Measured[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [index, server] of servers.entries()) {
      measured[index]?.push(await measure(server, load, repeatsMax))
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

async function measure(server: LoadedServer, load: Round, repeats: number): Promise<Measured> {
  const before = cpuMicroseconds(server.pid)
  try {
    const result = await load(server, measuredSeconds)
    return { cpuUs: (cpuMicroseconds(server.pid) - before) / Math.max(1, result.done), result }
  } catch (thrown) {
    if (!(thrown instanceof LostRound) || repeats === 0) throw thrown
    return measure(server, load, repeats - 1)
  }
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
