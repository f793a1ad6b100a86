/**
 * What a call costs that is passed on: by a stateful proxy with Record-Route, beside Kamailio configured the same; forked to
 * ten; and by a back-to-back user agent.
 */
import { ratio, type Verdict } from '../support/report.ts'
import type { CallResult } from './call-generator.ts'
import { runGenerator } from './generator.ts'
import { costOf, costVerdict, LostRound, measureRounds, type RoundResult, settleSeconds } from './rounds.ts'
import type { Row } from './row.ts'
import type { LoadedServer } from './servers.ts'

/** Calls a second, and the user who is called. */
export interface ProxiedLoad {
  readonly rate: number
  readonly user: string
}

/**
 * Calls to one callee, many and few; and to ten, nine of whom ring until they are cancelled. Forked calls are as many as the
 * few, with which they are compared, and about as many datagrams as the many.
 */
export const proxiedLoads = {
  many: { rate: 1500, user: 'callee' },
  few: { rate: 300, user: 'callee' },
  forked: { rate: 300, user: 'fork' },
} as const

const warmUpSeconds = 5
const [proxyRatioMax, bridgeRatioMax, forkRatioMax] = [1, 1.6, 5]

/** Loads each server in turn, as the loads of requests do. */
export async function proxiedLoad(servers: readonly LoadedServer[], load: ProxiedLoad): Promise<Row[]> {
  for (const server of servers) await settle(server, load)
  return measureRounds(servers, (server, seconds) => generate(server, load, seconds))
}

/** A server that has just begun is slow, and may rightly turn calls away: what it loses now counts nowhere. */
async function settle(server: LoadedServer, { rate, user }: ProxiedLoad): Promise<void> {
  await runGenerator<CallResult>('./proxied-call-generator.ts', [server.port, rate / 4, warmUpSeconds, user])
  await runGenerator<CallResult>('./proxied-call-generator.ts', [server.port, rate, settleSeconds, user])
}

async function generate(server: LoadedServer, load: ProxiedLoad, seconds: number): Promise<RoundResult> {
  const args = [server.port, load.rate, seconds, load.user]
  const result = await runGenerator<CallResult>('./proxied-call-generator.ts', args)
  if (result.completed < result.begun * 0.99) {
    const done = `${server.name} completed ${result.completed} of ${result.begun} calls, refused ${result.refused}`
    throw new LostRound(`${done}; it wrote:\n${server.output().slice(-2000)}`)
  }
  const { begun, completed, answerUsP50, answerUsP99 } = result
  return { begun, done: completed, latencyUsP50: answerUsP50, latencyUsP99: answerUsP99 }
}

/** What {@link proxiedLoad} has found. */
export interface ProxiedRows {
  readonly many: readonly Row[]
  readonly few: readonly Row[]
  readonly forked: readonly Row[]
  readonly bridged: readonly Row[]
}

/** The same against what is required. */
export function proxiedVerdicts({ many, few, forked, bridged }: ProxiedRows): Verdict[] {
  const own = costOf(many, 'carillon')
  const fork = costOf(forked, 'carillon')
  return [
    costVerdict('a proxied call', own, costOf(many, 'kamailio'), proxyRatioMax, 'that of Kamailio'),
    costVerdict('a bridged call', costOf(bridged, 'carillon'), own, bridgeRatioMax, 'a proxied one'),
    costVerdict(
      'a call forked to ten',
      fork,
      costOf(few, 'carillon'),
      forkRatioMax,
      'one to one callee, as many a second',
    ),
  ]
}

/** A forked call against one of so many that the datagrams are as many: reading them together makes those cheaper. */
export function forkedRemark({ many, forked }: ProxiedRows): string {
  const [fork, own] = [costOf(forked, 'carillon'), costOf(many, 'carillon')]
  return `a call forked to ten costs ${ratio(fork, own)} one to one callee at ${proxiedLoads.many.rate}/s, as many datagrams`
}
