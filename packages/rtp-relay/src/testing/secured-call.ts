/** A call through a relay in memory of which either side may be encrypted, for tests. */
import { Buffer } from 'node:buffer'
import type { OfferOptions } from '../control/offer-options'
import type { RelaySession } from '../control/relay-session'
import type { SrtpSuiteName } from '../srtp/suites'
import { A, B, type World, world } from './fixture'
import type { MemoryChannel } from './memory-network'
import { audioSdp, targetOf } from './packets'
import { SecuredPhone } from './secured-phone'

/** A description's text. */
export const text = (sdp: Uint8Array): string => Buffer.from(sdp).toString()

/** The same description in the profile of SRTP. */
export const secure = (sdp: string): string => sdp.replace('RTP/AVP', 'RTP/SAVP')

/** An answered call, and who speaks in it. */
export interface Bridged extends World {
  readonly session: RelaySession
  readonly toA: MemoryChannel
  readonly toB: MemoryChannel
  readonly a: SecuredPhone
  readonly b: SecuredPhone
  readonly offer: Uint8Array
  readonly answer: Uint8Array
  /** What b itself wrote. */
  readonly sdpOfB: string
}

/** Which side encrypts. */
export interface Ends {
  /** What a offers; plain without. */
  readonly a?: readonly SrtpSuiteName[]
  /** What b answers with; plain without. */
  readonly b?: SrtpSuiteName
  readonly options?: Partial<OfferOptions>
}

/** Sets up a call between what `ends` says of each side. */
export async function bridged(ends: Ends): Promise<Bridged> {
  const made = await world()
  const session = made.relay.createSession('call')
  const [a, b] = [new SecuredPhone(), new SecuredPhone()]
  const offer = await session.offer(sdpOfA(a, ends.a), { from: 'a', ...ends.options })
  const sdp = sdpOfB(b, offer, ends.b)
  const answer = await session.answer(sdp, { from: 'b' })
  if (ends.a !== undefined) a.answered(answer)
  const toB = made.network.at(targetOf(offer).port)
  const toA = made.network.at(targetOf(answer).port)
  return { ...made, session, toA, toB, a, b, offer, answer, sdpOfB: sdp }
}

/** What a offers. */
export function sdpOfA(phone: SecuredPhone, suites?: readonly SrtpSuiteName[]): string {
  const sdp = audioSdp(A.address, A.port, ...(suites === undefined ? [] : phone.offer(...suites)))
  return suites === undefined ? sdp : secure(sdp)
}

/** What b answers to what it was offered. */
export function sdpOfB(phone: SecuredPhone, offer: Uint8Array, suite?: SrtpSuiteName): string {
  const sdp = audioSdp(B.address, B.port, ...(suite === undefined ? [] : [phone.answer(offer, suite)]))
  return /m=\S+ \d+ RTP\/SAVP /.test(text(offer)) ? secure(sdp) : sdp
}

/** What the other party hears of a packet. */
export function pass(call: Bridged, from: 'a' | 'b', packet: Buffer): Uint8Array | undefined {
  const [channel, source] = from === 'a' ? ([call.toA, A] as const) : ([call.toB, B] as const)
  return call.network.deliver(channel, packet, source.address, source.port)[0]?.packet
}
