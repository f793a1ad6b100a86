/** A relay in memory with one call through it, for tests. */
import { createEngine, type RelayEngine } from '../control/engine'
import type { OfferOptions } from '../control/offer-options'
import type { RelaySession } from '../control/relay-session'
import type { RelayLimits } from '../limits'
import { ManualClock, type MemoryChannel, MemoryNetwork, SeededRandom } from './memory-network'
import { audioSdp, targetOf } from './packets'

/** The relay's addresses in tests. */
export const RELAY_4 = '192.0.2.1'
/** The relay's IPv6 address in tests. */
export const RELAY_6 = '2001:db8::1'
/** Where party a says it is. */
export const A = { address: '198.51.100.10', port: 4_000 } as const
/** Where party b says it is. */
export const B = { address: '203.0.113.20', port: 5_000 } as const

/** A relay whose world is in the test's hands. */
export interface World {
  readonly relay: RelayEngine
  readonly clock: ManualClock
  readonly network: MemoryNetwork
}

/** Makes a relay with an IPv4 and an IPv6 interface. */
export async function world(limits: Partial<RelayLimits> = {}, portMin = 20_000, portMax = 20_099): Promise<World> {
  const clock = new ManualClock()
  const network = new MemoryNetwork()
  const interfaces = [{ address: RELAY_4 }, { address: RELAY_6 }]
  const random = new SeededRandom(7)
  const relay = await createEngine({ interfaces, portMin, portMax, limits, clock, network, random })
  return { relay, clock, network }
}

/** An answered call: side a is `A`, side b is `B`. `toA` and `toB` are the relay's RTP channels that face them. */
export interface Call extends World {
  readonly session: RelaySession
  readonly toA: MemoryChannel
  readonly toB: MemoryChannel
}

/** Sets up a call with one audio medium; `linesA` and `linesB` are further lines of the media. */
export async function call(
  linesA: readonly string[] = [],
  linesB: readonly string[] = [],
  options: Partial<OfferOptions> = {},
  limits: Partial<RelayLimits> = {},
): Promise<Call> {
  const made = await world(limits)
  const session = made.relay.createSession('call')
  const toB = targetOf(await session.offer(audioSdp(A.address, A.port, ...linesA), { from: 'a', ...options })).port
  const toA = targetOf(await session.answer(audioSdp(B.address, B.port, ...linesB), { from: 'b' })).port
  return { ...made, session, toA: made.network.at(toA), toB: made.network.at(toB) }
}
