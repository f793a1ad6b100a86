import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer as createTcpServer } from 'node:net'
import { type Call, CallFailedError, type IncomingRequest } from '@carillon/sip-transaction'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Agent } from '../../packages/server/src/demo/agent'
import { audioOf, Harness, sdpText } from './server-harness'

let harness: Harness
beforeEach(async () => {
  harness = await Harness.start()
})
afterEach(() => harness.close())

/** Connects a call; returns the caller's and the called side's view of it. */
async function connect(caller: Agent, callee: Agent, extension = '1002'): Promise<[Call, Call, IncomingRequest]> {
  const answered = new Promise<[Call, IncomingRequest]>((resolve) =>
    callee.answerCalls(20, (call, request) => resolve([call, request])),
  )
  const call = await caller.call(extension)
  return [call, ...(await answered)]
}

async function failure(attempt: Promise<Call>): Promise<number> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof CallFailedError)) throw error ?? new Error('the call was answered')
  return error.status
}

function ended(matches: (line: Readonly<Record<string, unknown>>) => boolean = () => true) {
  return harness.logged('call.ended', matches)
}

describe('calls between extensions', () => {
  it.each([
    ['udp', 'udp'],
    ['udp', 'tcp'],
    ['tcp', 'udp'],
    ['tcp', 'tcp'],
  ])('connects a phone on %s with one on %s, and both hear each other', async (from, to) => {
    const caller = await harness.phone('1001', { transport: from })
    const callee = await harness.phone('1002', { transport: to })
    const [call, answer, request] = await connect(caller, callee)
    expect(request.from.uri.toString()).toContain('1001@')
    expect(audioOf(call.remoteSdp).port).toBeGreaterThanOrEqual(31_000)
    expect(audioOf(call.remoteSdp).port).not.toBe(callee.voice.port)
    await Promise.all([
      caller.voice.play(440, sdpText(call.remoteSdp), 40),
      callee.voice.play(880, sdpText(answer.remoteSdp), 40),
    ])
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(caller.voice.report()).toMatchObject({ received: 40, lost: 0 })
    expect(callee.voice.report()).toMatchObject({ received: 40, lost: 0 })
    expect(caller.voice.hears(880)).toBeGreaterThan(0.9)
    expect(caller.voice.hears(440)).toBeLessThan(0.01)
    expect(callee.voice.hears(440)).toBeGreaterThan(0.9)
    await call.bye()
    expect((await answer.ended).by).toBe('remote')
    const record = await ended()
    expect(record).toMatchObject({
      source: '1001',
      destination: '1002',
      callId: call.callId,
      linkedId: call.callId,
      disposition: 'ANSWERED',
      sipStatus: 200,
      hangUpSide: 'source',
      packets: 80,
      packetsFromSource: 40,
      packetsFromDestination: 40,
      lossPercent: 0,
    })
    expect(record.billsec).toBeGreaterThan(0.5)
    expect(record.duration).toBeGreaterThanOrEqual(record.billsec as number)
    expect(harness.server.stats()).toMatchObject({ calls: 0, media: { sessions: 0 }, registrations: 2 })
  })

  it('ends the call on both sides when the called side hangs up', async () => {
    const [call, answer] = await connect(await harness.phone('1001'), await harness.phone('1002'))
    await answer.bye()
    expect((await call.ended).by).toBe('remote')
    expect(await ended()).toMatchObject({ hangUpSide: 'destination', disposition: 'ANSWERED' })
  })

  it('RFC 3261 §9: cancels before the answer: 487 to the caller, CANCEL to the called phone', async () => {
    const caller = await harness.phone('1001')
    const callee = await harness.phone('1002')
    const abort = new AbortController()
    const rang = new Promise<IncomingRequest>((resolve) =>
      callee.stack.method('INVITE', (request) => {
        request.reply(180)
        resolve(request)
      }),
    )
    const attempt = caller.call('1002', abort.signal)
    const request = await rang
    const cancelled = once(request.signal, 'abort')
    abort.abort()
    await expect(attempt).rejects.toThrow()
    await cancelled
    expect(await ended()).toMatchObject({
      disposition: 'NO ANSWER',
      sipStatus: 487,
      hangUpSide: 'source',
      answer: null,
      billsec: 0,
    })
    expect(harness.server.stats().calls).toBe(0)
  })

  it('RFC 3261 §21.4.24: passes busy on', async () => {
    const caller = await harness.phone('1001')
    const callee = await harness.phone('1002')
    callee.stack.method('INVITE', (request) => request.reply(486))
    expect(await failure(caller.call('1002'))).toBe(486)
    expect(await ended()).toMatchObject({ disposition: 'BUSY', sipStatus: 486, hangUpSide: 'destination' })
  })

  it('RFC 3261 §21.4.5: answers 404 for an extension that does not exist', async () => {
    const caller = await harness.phone('1001')
    expect(await failure(caller.call('9999'))).toBe(404)
    expect(await ended()).toMatchObject({
      destination: '9999',
      disposition: 'FAILED',
      sipStatus: 404,
      hangUpSide: 'server',
    })
  })

  it('RFC 3261 §21.4.18: answers 480 when no phone is registered', async () => {
    const caller = await harness.phone('1001')
    expect(await failure(caller.call('1002'))).toBe(480)
    expect(await ended()).toMatchObject({ disposition: 'NO ANSWER', sipStatus: 480 })
  })

  it('stops ringing after the ring timeout', async () => {
    await harness.close()
    harness = await Harness.start({ calls: { ringTimeoutMs: 1_000 } })
    const caller = await harness.phone('1001')
    const callee = await harness.phone('1002')
    callee.stack.method('INVITE', (request) => request.reply(180))
    expect(await failure(caller.call('1002'))).toBe(480)
    expect(await ended()).toMatchObject({ disposition: 'NO ANSWER', hangUpSide: 'server' })
  })

  it('lets no caller pass for another', async () => {
    const caller = await harness.phone('1001')
    const attempt = caller.stack.invite(caller.address('1002'), {
      from: `<${caller.address('1003')}>`,
      credentials: { username: '1001', password: 'correct horse 1001' },
      sdp: caller.voice.sdp(),
    })
    expect(await failure(attempt)).toBe(403)
  })

  it('lets nobody call without the password', async () => {
    const stranger = await harness.phone('1001', { password: 'wrong', register: false })
    expect(await failure(stranger.call('1002'))).toBe(407)
    expect(harness.lines.some((line) => line.event === 'call.ended')).toBe(false)
  })

  it('rings every phone of an extension, and the first to answer wins', async () => {
    const caller = await harness.phone('1001')
    const first = await harness.phone('1002')
    const second = await harness.phone('1002', { transport: 'tcp' })
    const cancelled = new Promise<void>((resolve) =>
      second.stack.method('INVITE', (request) => {
        request.reply(180)
        request.signal.addEventListener('abort', () => resolve())
      }),
    )
    const [call] = await connect(caller, first)
    await cancelled
    expect(call.state).toBe('active')
    await call.bye()
    expect(await ended()).toMatchObject({ disposition: 'ANSWERED' })
  })

  it('RFC 3264 §8.4: passes hold and resume on, with the media ports kept', async () => {
    const caller = await harness.phone('1001')
    const [call, answer] = await connect(caller, await harness.phone('1002'))
    const offers: string[] = []
    answer.onRequest((request) => {
      const { direction } = audioOf(request.body)
      offers.push(`${direction} ${audioOf(request.body).port}`)
      const reply = { sendonly: 'recvonly', recvonly: 'sendonly' }[direction] ?? 'sendrecv'
      request.reply(200, { body: audioSdp(reply), contentType: 'application/sdp' })
    })
    const portBefore = audioOf(call.remoteSdp).port
    const portOfferedBefore = audioOf(answer.remoteSdp).port
    const hold = await call.reinvite({ sdp: caller.voice.sdp('sendonly') })
    expect(hold.status).toBe(200)
    expect(audioOf(hold.body)).toMatchObject({ direction: 'recvonly', port: portBefore })
    const resume = await call.reinvite({ sdp: caller.voice.sdp('sendrecv') })
    expect(audioOf(resume.body)).toMatchObject({ direction: 'sendrecv', port: portBefore })
    expect(offers).toEqual([`sendonly ${portOfferedBefore}`, `sendrecv ${portOfferedBefore}`])
    await call.bye()
  })

  it('RFC 3261 §10.3: no longer rings a phone that has unregistered', async () => {
    const caller = await harness.phone('1001')
    const callee = await harness.phone('1002')
    expect(await callee.register(0)).toBe(200)
    expect(await failure(caller.call('1002'))).toBe(480)
  })

  it('answers 503 with Retry-After for one call too many', async () => {
    await harness.close()
    harness = await Harness.start({ calls: { max: 1 } })
    const caller = await harness.phone('1001')
    const [call] = await connect(caller, await harness.phone('1002'))
    const other = await harness.phone('1003')
    const error = await other.call('1001').catch((reason: unknown) => reason)
    expect(error).toMatchObject({ status: 503 })
    expect((error as CallFailedError).response?.retryAfter?.seconds).toBe(5)
    await call.bye()
    expect(await ended((line) => line.source === '1003')).toMatchObject({ disposition: 'CONGESTION' })
  })
})

describe('a server that listens on every address', () => {
  it('is reached by phones on the same machine at 127.0.0.1, with audio both ways', async () => {
    await harness.close()
    harness = await Harness.start({ sip: { listen: 'udp://0.0.0.0:0' }, media: { address: 'auto' } })
    const { port } = harness.listener()
    const open = (extension: string, password: string, ssrc: number) =>
      Agent.open({ extension, password, ssrc, server: { transport: 'udp', host: '127.0.0.1', port } })
    const caller = await open('1001', 'correct horse 1001', 1)
    const callee = await open('1002', 'battery staple 1002', 2)
    try {
      expect([await caller.register(), await callee.register()]).toEqual([200, 200])
      const [call, answer] = await connect(caller, callee)
      await Promise.all([
        caller.voice.play(440, sdpText(call.remoteSdp), 25),
        callee.voice.play(880, sdpText(answer.remoteSdp), 25),
      ])
      await expect.poll(() => caller.voice.report().received + callee.voice.report().received).toBe(50)
      await call.bye()
    } finally {
      await Promise.all([caller.close(), callee.close()])
    }
  })
})

describe('stopping', () => {
  it('hangs up both sides, refuses new calls meanwhile, and leaves no port open', async () => {
    await harness.close()
    harness = await Harness.start({ drainTimeoutMs: 400 })
    const caller = await harness.phone('1001')
    const callee = await harness.phone('1002')
    const other = await harness.phone('1003')
    const [call, answer] = await connect(caller, callee)
    const listeners = harness.server.addresses
    const mediaPort = audioOf(call.remoteSdp).port
    const beganMs = performance.now()
    const stopped = harness.server.stop()
    expect(await failure(other.call('1001'))).toBe(503)
    expect(call.state).toBe('active')
    const ends = await Promise.all([call.ended, answer.ended])
    expect(ends.map((end) => end.by)).toEqual(['remote', 'remote'])
    await stopped
    expect(performance.now() - beganMs).toBeGreaterThan(350)
    expect(performance.now() - beganMs).toBeLessThan(3_000)
    expect(await ended()).toMatchObject({ hangUpSide: 'server', disposition: 'ANSWERED' })
    for (const { transport, port } of listeners) await expect(canBind(transport, port)).resolves.toBe(true)
    await expect(canBind('udp', mediaPort)).resolves.toBe(true)
  })

  it('ends at once when the last call ends while it drains', async () => {
    await harness.close()
    harness = await Harness.start({ drainTimeoutMs: 60_000 })
    const [call] = await connect(await harness.phone('1001'), await harness.phone('1002'))
    const stopped = harness.server.stop()
    await call.bye()
    await stopped
  })

  it('is cut short by a second stop', async () => {
    await harness.close()
    harness = await Harness.start({ drainTimeoutMs: 60_000 })
    const [, answer] = await connect(await harness.phone('1001'), await harness.phone('1002'))
    const cut = new AbortController()
    const stopped = harness.server.stop({ signal: cut.signal })
    cut.abort()
    expect((await answer.ended).by).toBe('remote')
    await stopped
  })

  it('says in one line that a port is in use, and leaves nothing open', async () => {
    const { port } = harness.listener('tcp')
    const values = { sip: { listen: [`udp://127.0.0.1:0`, `tcp://127.0.0.1:${port}`] } }
    await expect(Harness.start(values)).rejects.toMatchObject({ code: 'LISTEN_FAILED', exitCode: 1 })
    await expect(Harness.start(values)).rejects.toThrow(new RegExp(`^cannot listen on [^\\n]*${port}[^\\n]*$`))
  })
})

function audioSdp(direction: string): string {
  return `v=0\r\no=- 2 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=${direction}\r\n`
}

async function canBind(transport: string, port: number): Promise<boolean> {
  if (transport === 'udp') {
    const socket = createSocket('udp4')
    socket.bind(port, '127.0.0.1')
    await once(socket, 'listening')
    await new Promise<void>((resolve) => socket.close(() => resolve()))
    return true
  }
  const server = createTcpServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  await new Promise((resolve) => server.close(resolve))
  return true
}
