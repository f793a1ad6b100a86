/**
 * What a packet and a session cost in memory, and how many sessions come and go in a second, in this process and without
 * sockets: what is left is the relay's own.
 */
import { createRelay, type Relay } from '@carillon/rtp-relay'
import { allocatedBytes, settledBytes } from '../support/allocation.ts'
import { figure, type Table, type Verdict } from '../support/report.ts'
import type { RelayKind } from './relays.ts'
import { Sockets } from './sockets.ts'
import { mediaPort, offeredTag, payloadBytes, phoneSdp, suite } from './streams.ts'

const phones = { address: '127.0.0.1', a: 40_000, b: 41_000 } as const
const packetBytes = 12 + payloadBytes
/** The cipher hands out its key stream in memory of its own: as many bytes as are encrypted, and a little. */
const keyStreamBytesMax = 240
const sessionBytesMax = 12 * 1024
const sessionsKept = 1000
const sessionsOpened = 3000
const sessionsPerSecondMin = 500

/** Measures; verdicts on what is required of each. */
export async function measureInProcess(): Promise<{ tables: Table[]; verdicts: Verdict[] }> {
  const rows: string[][] = []
  const verdicts: Verdict[] = []
  for (const [kind, most] of [
    ['plain', 1],
    ['srtp', keyStreamBytesMax],
  ] as const) {
    const packet = await packetAllocation(kind)
    const kept = await sessionMemory(kind)
    rows.push([kind, figure(packet), figure(kept.session), figure(kept.left)])
    const what = kind === 'plain' ? 'nothing' : 'no more than its key stream'
    verdicts.push(
      { name: `${kind}: a packet allocates ${what}`, isMet: packet < most, detail: `${figure(packet)} bytes` },
      {
        name: `${kind}: a session keeps at most ${sessionBytesMax} bytes beside its sockets`,
        isMet: kept.session <= sessionBytesMax,
        detail: `${figure(kept.session)} bytes`,
      },
    )
  }
  const perSecond = await sessionRate()
  verdicts.push({
    name: `at least ${sessionsPerSecondMin} sessions are opened and closed in a second`,
    isMet: perSecond >= sessionsPerSecondMin,
    detail: `${figure(perSecond)} a second of CPU`,
  })
  const table: Table = {
    title: 'memory, without sockets',
    columns: [
      { title: 'session' },
      { title: 'bytes allocated a packet', isNumber: true },
      { title: 'bytes kept a session', isNumber: true },
      { title: 'left after its end', isNumber: true },
    ],
    rows,
  }
  return { tables: [table], verdicts }
}

interface World {
  readonly relay: Relay
  readonly sockets: Sockets
}

async function world(): Promise<World> {
  const sockets = new Sockets()
  const limits = { portQuarantineMs: 0 }
  const interfaces = [{ address: '127.0.0.1' }]
  const relay = await createRelay({ interfaces, portMin: 2000, portMax: 60_000, network: sockets, limits })
  return { relay, sockets }
}

/** Sets up a call; the relay's port that faces its first phone. */
async function call({ relay }: World, id: string, kind: RelayKind): Promise<number> {
  const session = relay.createSession(id)
  const secured = { transportProtocol: 'RTP/SAVP', sdes: { suites: [suite] } } as const
  const offer = await session.offer(phoneSdp(phones.a), { from: 'a', ...(kind === 'srtp' ? secured : {}) })
  const tag = kind === 'srtp' ? offeredTag(Buffer.from(offer).toString()) : undefined
  const answer = await session.answer(phoneSdp(phones.b, tag), { from: 'b' })
  return mediaPort(Buffer.from(answer).toString())
}

async function packetAllocation(kind: RelayKind): Promise<number> {
  const made = await world()
  const port = await call(made, 'call', kind)
  const sink = made.sockets.sinkAt(port)
  const packet = Buffer.alloc(packetBytes, 0x55)
  packet[0] = 0x80
  packet[1] = 0
  let sequence = 0
  const pass = (): void => {
    sequence = (sequence + 1) & 0xffff
    packet[2] = sequence >> 8
    packet[3] = sequence
    sink.receive(packet, phones.address, phones.a)
  }
  const bytes = allocatedBytes(pass)
  const { packets } = await made.relay.stats()
  await made.relay.close()
  if (packets === 0) throw new Error('the relay has not taken the packets')
  return bytes
}

async function sessionMemory(kind: RelayKind): Promise<{ session: number; left: number }> {
  const made = await world()
  const carry = async (first: number): Promise<void> => {
    for (let index = first; index < first + sessionsKept; index++) {
      const port = await call(made, `call ${index}`, kind)
      const packet = Buffer.alloc(packetBytes, 0x80)
      made.sockets.sinkAt(port).receive(packet, phones.address, phones.a)
    }
  }
  const end = async (first: number): Promise<void> => {
    for (let index = first; index < first + sessionsKept; index++) await made.relay.session(`call ${index}`)?.close()
  }
  await carry(0)
  await end(0)
  const before = settledBytes()
  await carry(sessionsKept)
  const during = settledBytes()
  await end(sessionsKept)
  const after = settledBytes()
  if (made.sockets.openPorts > 0) throw new Error(`${made.sockets.openPorts} ports are still open`)
  await made.relay.close()
  return { session: (during - before) / sessionsKept, left: Math.max(0, after - before) / sessionsKept }
}

async function sessionRate(): Promise<number> {
  const made = await world()
  const began = process.cpuUsage()
  for (let index = 0; index < sessionsOpened; index++) {
    await call(made, `call ${index}`, 'plain')
    await made.relay.session(`call ${index}`)?.close()
  }
  const { user, system } = process.cpuUsage(began)
  await made.relay.close()
  return (sessionsOpened * 1e6) / (user + system)
}
