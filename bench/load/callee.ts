/**
 * How many calls a second one core can answer: the rate is raised until calls are lost or late (the knee), then what a call
 * costs and how long its answer takes is measured at 80 % of it.
 */
import { figure, type Verdict } from '../support/report.ts'
import type { CallResult } from './call-generator.ts'
import { runGenerator } from './generator.ts'
import { cpuMicroseconds } from './pinned.ts'
import type { Row } from './row.ts'
import type { LoadedServer } from './servers.ts'

const steps = [1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000] as const
const stepSeconds = 5
const measuredSeconds = 20
const requiredRate = 4000
const requiredP99Ms = 5
/** A step holds when nearly every call completes and answers do not queue up. */
const completedShare = 0.999
const lateUs = 100_000

/** The further columns of the table. */
export const calleeColumns = ['knee, calls/s', 'at 80 %: p50 µs', 'p99 µs']

let knee = 0
let answerUsP99 = Number.NaN

/** Loads each callee up to its knee. */
export async function calleeLoad(servers: readonly LoadedServer[]): Promise<Row[]> {
  const rows: Row[] = []
  for (const server of servers) {
    // Once at half speed, so that the code is hot.
    await generate(server, 1000, 10)
    knee = 0
    for (const rate of steps) {
      const { begun, completed, answerUsP99: p99 } = await generate(server, rate, stepSeconds)
      if (completed < begun * completedShare || p99 > lateUs) break
      knee = rate
    }
    const before = cpuMicroseconds(server.pid)
    const result = await generate(server, Math.max(1, Math.round(knee * 0.8)), measuredSeconds)
    const cpuUs = (cpuMicroseconds(server.pid) - before) / Math.max(1, result.completed)
    answerUsP99 = result.answerUsP99
    const extra = [String(knee), figure(result.answerUsP50), figure(result.answerUsP99)]
    rows.push({ server, cpuUs, result: `${result.completed} of ${result.begun}`, extra })
  }
  return rows
}

/** What {@link calleeLoad} has found, against what is required. */
export function calleeVerdicts(): Verdict[] {
  return [
    {
      name: `one core answers at least ${requiredRate} calls a second`,
      isMet: knee >= requiredRate,
      detail: `${knee} a second without loss${knee === steps.at(-1) ? ', the highest rate tried' : ''}`,
    },
    {
      name: `99 % of the answers come within ${requiredP99Ms} ms at 80 % of the knee`,
      isMet: answerUsP99 < requiredP99Ms * 1000,
      detail: `${figure(answerUsP99 / 1000)} ms at ${Math.round(knee * 0.8)} calls a second`,
    },
  ]
}

function generate(server: LoadedServer, rate: number, seconds: number): Promise<CallResult> {
  return runGenerator<CallResult>('./call-generator.ts', [server.port, rate, seconds])
}
