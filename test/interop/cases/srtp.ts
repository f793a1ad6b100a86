/**
 * A baresip that encrypts and one that does not, through the server: audio both ways, hold and resume, and the server's
 * counts against those of the phones (RFC 3550, RFC 3711, RFC 4568). libre's SRTP has nothing in common with the relay's.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Call } from '@carillon/sip-transaction'
import type { InteropCase } from '../case.ts'
import { type AudioCounts, Baresip } from '../support/baresip.ts'
import { expectThat, withEndpoint } from '../support/endpoint.ts'
import { domain, Server } from '../support/server.ts'
import { Voice } from '../support/voice.ts'

/** What a case works with: a server of its own, and phones that are stopped afterwards. */
interface Scene {
  readonly server: Server
  /** `secured` is a user that is offered SRTP only, `plain` one that is never offered it. */
  phone(kind: Kind, toneHz: number): Promise<Baresip>
}

type Kind = 'secured' | 'plain'

/** What the log says of a call that is over. */
interface Record {
  readonly packetsFromSource: number
  readonly packetsFromDestination: number
  readonly lossPercent: number
}

const talkMs = 7_000

export const srtpCases: readonly InteropCase[] = [
  {
    name: 'baresip with SRTP calls baresip with plain RTP, audio both ways',
    run: ({ workDir }) => staged(workDir, (scene) => talk(scene, 'secured', 'plain')),
  },
  {
    name: 'baresip with plain RTP calls baresip with SRTP, audio both ways',
    run: ({ workDir }) => staged(workDir, (scene) => talk(scene, 'plain', 'secured')),
  },
  {
    name: 'baresip with SRTP holds and resumes a call with plain RTP',
    run: ({ workDir }) => staged(workDir, (scene) => talk(scene, 'secured', 'plain', 'secured')),
  },
  {
    name: 'baresip with plain RTP holds and resumes a call with SRTP',
    run: ({ workDir }) => staged(workDir, (scene) => talk(scene, 'secured', 'plain', 'plain')),
  },
  {
    name: 'baresip with SRTP holds and resumes after the sequence numbers of the other side have wrapped',
    run: ({ workDir }) => staged(workDir, wrapped),
  },
]

async function staged(workDir: string, run: (scene: Scene) => Promise<void>): Promise<void> {
  // Users take turns: on, off, on, …
  const server = await Server.start(workDir, 'server for SRTP', ['on', 'off'])
  const phones: Baresip[] = []
  const phone = async (kind: Kind, toneHz: number): Promise<Baresip> => {
    const pair = [server.takeUser(), server.takeUser()] as const
    const started = await Baresip.start({
      workDir,
      user: kind === 'secured' ? pair[0] : pair[1],
      serverPort: server.port,
      transport: 'udp',
      toneHz,
      ...(kind === 'secured' ? { encryption: 'srtp-mand' as const } : {}),
    })
    phones.push(started)
    return started
  }
  try {
    await run({ server, phone })
  } catch (error) {
    const tails = [...phones.map(({ program }) => program), server.program].map(
      (program) => `--- ${program.name}\n${program.tail(25)}`,
    )
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${tails.join('\n')}`)
  } finally {
    await Promise.all(phones.map((one) => one.stop()))
    await server.program.stop()
  }
}

/** A call from one to the other, held and resumed by one of them when `holder` says so. */
async function talk(scene: Scene, caller: Kind, callee: Kind, holder?: Kind): Promise<void> {
  const [from, to] = [await scene.phone(caller, 400), await scene.phone(callee, 600)]
  from.command('dial', `sip:${to.user.name}@${domain}`)
  await Promise.all([from.event('CALL_ESTABLISHED', 10_000), to.event('CALL_ESTABLISHED', 10_000)])
  await Promise.all([from.event('CALL_RTPESTAB', 5000), to.event('CALL_RTPESTAB', 5000)])
  if (holder !== undefined) {
    const holding = holder === caller ? from : to
    await sleep(1500)
    holding.command('hold')
    await sleep(1000)
    holding.command('resume')
    await holding.program.waitFor(/call: hold[\s\S]*stream: update[\s\S]*call: resume[\s\S]*stream: update/, 5_000)
  }
  await sleep(talkMs)
  from.command('hangup')
  await Promise.all([from.event('CALL_CLOSED', 5000), to.event('CALL_CLOSED', 5000)])
  const record = await recordOf(scene.server)
  const [ofFrom, ofTo] = await Promise.all([from.audioCounts(), to.audioCounts()])
  expectSame('caller to callee', ofFrom, record.packetsFromSource, ofTo)
  expectSame('callee to caller', ofTo, record.packetsFromDestination, ofFrom)
  expectThat(record.lossPercent === 0, `the server has counted ${record.lossPercent} % lost`)
}

/** Our phone, whose sequence numbers begin shortly before their end, calls a baresip that encrypts. */
async function wrapped(scene: Scene): Promise<void> {
  const baresip = await scene.phone('secured', 600)
  const [, user] = [scene.server.takeUser(), scene.server.takeUser()]
  const voice = await Voice.open(65_486)
  const offers: string[] = []
  try {
    await withEndpoint({}, async ({ stack }) => {
      const call = await stack.invite(`sip:${baresip.user.name}@${scene.server.target}`, {
        from: `<sip:${user.name}@${domain}>`,
        credentials: { username: user.name, password: user.password },
        sdp: voice.sdp('sendrecv'),
      })
      follow(call, voice, offers)
      voice.play(call.remoteSdp)
      await sleep(2500)
      expectThat(voice.hasWrapped, 'the sequence numbers have not wrapped')
      const beforeHold = voice.received
      baresip.command('hold')
      await sleep(1000)
      baresip.command('resume')
      await sleep(1000)
      const [held, resumed] = offers
      expectThat(/^a=(sendonly|inactive)/m.test(held ?? ''), `no hold came: ${held}`)
      expectThat(/^a=sendrecv/m.test(resumed ?? ''), `no resume came: ${resumed}`)
      for (const offer of offers) expectThat(!/crypto|SAVP/.test(offer), 'a plain phone was offered SRTP')
      const afterResume = voice.received
      await sleep(4000)
      voice.stop()
      await sleep(200)
      await call.bye()
      const record = await recordOf(scene.server)
      const counts = await baresip.audioCounts()
      expectThat(afterResume > beforeHold && voice.received - afterResume > 150, 'nothing is heard after the resume')
      const ours = { packetsSent: voice.sent, packetsReceived: voice.received }
      expectSame('our phone to baresip', ours, record.packetsFromSource, counts)
      expectSame('baresip to our phone', counts, record.packetsFromDestination, ours)
    })
  } finally {
    await voice.close()
  }
}

/** Agrees to whatever is asked for within the call. */
function follow(call: Call, voice: Voice, offers: string[]): void {
  call.onRequest((request) => {
    if (request.method !== 'INVITE') return request.reply(200)
    const offer = Buffer.from(request.body).toString()
    offers.push(offer)
    const direction = /^a=(sendonly|recvonly|inactive)/m.exec(offer)?.[1] ?? 'sendrecv'
    voice.isHeld = direction !== 'sendrecv'
    const answer = { sendonly: 'recvonly', recvonly: 'sendonly' }[direction] ?? direction
    request.reply(200, { body: voice.sdp(answer), contentType: 'application/sdp' })
  })
}

type Counts = Pick<AudioCounts, 'packetsSent' | 'packetsReceived'> & Partial<AudioCounts>

/** What one side sent, what the server counted, what the other side heard: the same within 1 %. */
function expectSame(way: string, from: Counts, counted: number, to: Counts): void {
  const said = `${way}: sent ${from.packetsSent}, counted ${counted}, received ${to.packetsReceived}`
  expectThat(from.packetsSent > 300, `${said}; more should have been sent`)
  const allowed = from.packetsSent / 100
  for (const count of [counted, to.packetsReceived])
    expectThat(Math.abs(from.packetsSent - count) <= allowed, `${said}; they differ by more than 1 %`)
  expectThat((from.errorsSent ?? 0) === 0 && (to.errorsReceived ?? 0) === 0, `${said}; errors were counted`)
  expectThat((to.lostReceived ?? 0) === 0, `${said}; ${to.lostReceived} reported lost`)
}

async function recordOf(server: Server): Promise<Record> {
  const [line] = await server.program.waitFor(/^\{.*"call\.ended".*\}$/m, 5_000)
  return JSON.parse(line) as Record
}
