/** Every way that the relay bridges: plain, each suite, one port or two, IPv4 and IPv6, over real sockets. */
import { type AnchorOptions, createRelay, type Relay, type SrtpSuiteName } from '@carillon/rtp-relay'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  audioSdp,
  receiverReport,
  rtpPacket,
  senderReport,
  targetOf,
} from '../../packages/rtp-relay/src/testing/packets'
import { SecuredPhone } from '../../packages/rtp-relay/src/testing/secured-phone'
import { UdpParty } from '../../packages/rtp-relay/src/testing/udp-party'

type Terms = NonNullable<NonNullable<AnchorOptions['towards']>['b']>
type Suite = SrtpSuiteName | 'plain'

/** What side a offers, what side b answers with, and what the relay is told of side b. */
type Pair = readonly [a: Suite, b: Suite, terms: Terms]

const CM_80 = 'AES_CM_128_HMAC_SHA1_80'
const CM_32 = 'AES_CM_128_HMAC_SHA1_32'
const GCM = 'AEAD_AES_128_GCM'
const GCM_256 = 'AEAD_AES_256_GCM'

const pairs: Readonly<Record<string, Pair>> = {
  [`plain and ${CM_80}`]: ['plain', CM_80, { transportProtocol: 'RTP/SAVP', sdes: { suites: [CM_80] } }],
  [`plain and ${CM_32}`]: ['plain', CM_32, { transportProtocol: 'RTP/SAVP', sdes: { suites: [CM_32, CM_80] } }],
  [`plain and ${GCM}`]: ['plain', GCM, { transportProtocol: 'RTP/SAVP', sdes: { suites: [CM_80, GCM] } }],
  [`${CM_80} and ${GCM_256}`]: [CM_80, GCM_256, { sdes: { suites: [GCM_256] } }],
  'AES_256_CM_HMAC_SHA1_80 and plain': ['AES_256_CM_HMAC_SHA1_80', 'plain', { transportProtocol: 'RTP/AVP' }],
  [`plain and ${CM_80} by best effort`]: ['plain', CM_80, { bestEffort: true, sdes: { suites: [CM_80] } }],
}
const combinations = Object.keys(pairs).flatMap((pair) =>
  (['one port', 'two ports'] as const).flatMap((ports) =>
    (['::1', '127.0.0.1'] as const).map((addressOfB) => ({ pair, ports, addressOfB })),
  ),
)

/** A party: where its media is, and its keys. */
class Party {
  readonly keys: SecuredPhone | undefined
  /** Of the relay towards it. */
  target = { address: '', port: 0 }
  isMux = false

  private constructor(
    readonly suite: Suite,
    readonly rtp: UdpParty,
    readonly rtcp: UdpParty,
  ) {
    this.keys = suite === 'plain' ? undefined : new SecuredPhone()
  }

  static async open(suite: Suite, address: string): Promise<Party> {
    return new Party(suite, await UdpParty.open(address), await UdpParty.open(address))
  }

  sdp(isSecure: boolean, ...lines: readonly string[]): string {
    const rtcp = this.isMux ? [] : [`a=rtcp:${this.rtcp.port}`]
    const sdp = audioSdp(this.rtp.address, this.rtp.port, ...rtcp, ...lines)
    return isSecure ? sdp.replace('RTP/AVP', 'RTP/SAVP') : sdp
  }

  /** Where its RTCP arrives, and whence it is sent. */
  get control(): UdpParty {
    return this.isMux ? this.rtp : this.rtcp
  }

  async speak(packet: Buffer): Promise<void> {
    const { address, port } = this.target
    await this.rtp.send(this.keys?.protect(packet) ?? packet, address, port)
  }

  async report(packet: Buffer): Promise<void> {
    const { address, port } = this.target
    await this.control.send(this.keys?.protectRtcp(packet) ?? packet, address, this.isMux ? port : port + 1)
  }

  async close(): Promise<void> {
    await Promise.all([this.rtp.close(), this.rtcp.close()])
  }
}

let relay: Relay

beforeAll(async () => {
  const interfaces = [{ address: '127.0.0.1' }, { address: '::1' }]
  relay = await createRelay({ interfaces, portMin: 35_000, portMax: 35_399 })
})
afterAll(() => relay.close())

/** Sets up a call between the two, as two phones would. */
async function connect(id: string, a: Party, b: Party, terms: Terms) {
  const session = relay.createSession(id)
  const towards = { ...terms, ...(b.isMux ? { rtcpMux: ['offer'] as const } : {}) }
  const family = b.rtp.address.includes(':') ? 'IP6' : 'IP4'
  const anchor = relay.anchor(session, {
    towards: { b: towards },
    families: { b: family },
    receivedFrom: { a: a.rtp.address, b: b.rtp.address },
  })
  const offered = a.suite === 'plain' ? [] : (a.keys?.offer(a.suite) ?? [])
  const offer = await anchor.offer('a', Buffer.from(a.sdp(a.suite !== 'plain', ...offered)))
  b.target = targetOf(offer)
  const text = Buffer.from(offer).toString()
  expect(b.target.address).toBe(b.rtp.address)
  expect(/^a=rtcp-mux\r$/m.test(text)).toBe(b.isMux)
  expect(/^a=crypto:/m.test(text)).toBe(b.suite !== 'plain')
  const lines = [
    ...(b.isMux ? ['a=rtcp-mux'] : []),
    ...(b.suite === 'plain' ? [] : [b.keys?.answer(offer, b.suite) ?? '']),
  ]
  const answer = await anchor.answer('b', Buffer.from(b.sdp(/^m=audio \d+ RTP\/SAVP /m.test(text), ...lines)))
  a.target = targetOf(answer)
  expect(a.target.address).toBe(a.rtp.address)
  a.keys?.answered(answer)
  return session
}

const packets = 60

/** Audio both ways, one packet after the other, over the end of the sequence numbers; each is compared. */
async function converse(a: Party, b: Party): Promise<void> {
  for (let index = 0; index < packets; index++) {
    const ofA = rtpPacket({ sequence: 65_510 + index, ssrc: 0xa })
    const ofB = rtpPacket({ sequence: 65_500 + index, ssrc: 0xb, payloadBytes: 20 + 2 * index })
    ofA.fill(index, 12)
    ofB.fill(255 - index, 12)
    await Promise.all([a.speak(ofA), b.speak(ofB)])
    await Promise.all([a.rtp.until(index + 1), b.rtp.until(index + 1)])
    expect(opened(b, b.rtp.received[index])).toEqual(ofA)
    expect(opened(a, a.rtp.received[index])).toEqual(ofB)
  }
}

/** RTCP both ways. */
async function exchangeReports(a: Party, b: Party): Promise<void> {
  const [beforeA, beforeB] = [a.control.received.length, b.control.received.length]
  const [ofA, ofB] = [senderReport(0x1234_5678, 0xa), receiverReport(0x1234_5678, 0, 64)]
  await a.report(ofA)
  await b.control.until(beforeB + 1)
  await b.report(ofB)
  await a.control.until(beforeA + 1)
  expect(openedReport(b, b.control.received[beforeB])).toEqual(ofA)
  expect(openedReport(a, a.control.received[beforeA])).toEqual(ofB)
}

function opened({ keys }: Party, packet: Buffer | undefined): Buffer | undefined {
  return packet === undefined || keys === undefined ? packet : keys.open(packet)
}

function openedReport({ keys }: Party, packet: Buffer | undefined): Buffer | undefined {
  return packet === undefined || keys === undefined ? packet : keys.openRtcp(packet)
}

describe('24 combinations', () => {
  it.each(combinations)('$pair, side b with $ports at $addressOfB', async ({ pair, ports, addressOfB }) => {
    const [suiteOfA, suiteOfB, terms] = pairs[pair] ?? ['plain', 'plain', {}]
    const [a, b] = [await Party.open(suiteOfA, '127.0.0.1'), await Party.open(suiteOfB, addressOfB)]
    b.isMux = ports === 'one port'
    try {
      const session = await connect(`${pair} ${ports} ${addressOfB}`, a, b, terms)
      await converse(a, b)
      await exchangeReports(a, b)
      const { streams } = await session.close()
      const nothing = { strangers: 0, garbage: 0, strayRtcp: 0, undeliverable: 0, unauthenticated: 0, unprotectable: 0 }
      const counted = { packets, lost: 0, duplicates: 0, rtcpPackets: 1, dropped: nothing }
      expect(streams[0]).toMatchObject({ a: counted, b: { ...counted, reportedLossFraction: 0.25 } })
      // Nothing has arrived twice, and what is encrypted is not what was said.
      expect([a.rtp.received.length, b.rtp.received.length - (b.isMux ? 1 : 0)]).toEqual([packets, packets])
      for (const party of [a, b]) {
        const first = party.rtp.received[0]?.subarray(12, 32)
        const inClear = Buffer.alloc(20, party === a ? 255 : 0)
        if (party.suite === 'plain') expect(first).toEqual(inClear)
        else expect(first).not.toEqual(inClear)
      }
    } finally {
      await Promise.all([a.close(), b.close()])
    }
  })
})
