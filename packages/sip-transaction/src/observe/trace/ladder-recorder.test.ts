import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { DigestVerifier } from '../../auth/verifier'
import type { MessageEvent } from '../../endpoint/options'
import { digest } from '../../endpoint/requests/digest'
import { SipStack } from '../../endpoint/stack'
import { FakeClock } from '../../testing/fake-clock'
import { MemoryNetwork } from '../../testing/memory-network'
import { SeededRandom } from '../../testing/seeded-random'
import { LadderRecorder, type LadderRecorderOptions } from './ladder-recorder'

const description = (address: string, direction = 'sendrecv') =>
  `v=0\r\no=- 1 1 IN IP4 ${address}\r\ns=-\r\nc=IN IP4 ${address}\r\nt=0 0\r\n` +
  `m=audio 4000 RTP/AVP 0 8 96\r\na=rtpmap:96 opus/48000/2\r\na=${direction}\r\n` +
  'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0c2VjcmV0c2VjcmV0\r\n'

const open: SipStack[] = []
const clock = new FakeClock()

afterEach(async () => {
  const closed = Promise.all(open.splice(0).map((stack) => stack.close({ graceMs: 0 })))
  await clock.advance(60_000)
  await closed
})

/** Two hosts, and what they say to each other by way of a digest challenge, a call, and a hold. */
async function world(options: LadderRecorderOptions = {}) {
  const network = new MemoryNetwork({ clock, conditions: { delayMinMs: 10, delayMaxMs: 10 } })
  const recorder = new LadderRecorder({ clock, ...options })
  const stackAt = async (host: string) => {
    const stack = await SipStack.create({
      listen: [`udp://${host}:5060`],
      transports: [network.factory({ scheme: 'udp' })],
      clock,
      random: new SeededRandom(Number(host.split('.')[3])),
      sessionTimers: false,
    })
    open.push(stack)
    return stack
  }
  return { network, recorder, alice: await stackAt('10.0.0.1'), bob: await stackAt('10.0.0.2') }
}

async function callWithHold(recorder: LadderRecorder, alice: SipStack, bob: SipStack): Promise<void> {
  const random = new SeededRandom(7)
  const verifier = new DigestVerifier({ realm: 'test', secret: random.bytes(32), random })
  bob.method(
    'INVITE',
    digest.required(verifier, () => ({ password: 'wonderland' })),
    async (request) => {
      request.reply(180)
      const call = await request.accept({ sdp: description('10.0.0.2') })
      call.onRequest((inside) => inside.reply(200, { body: description('10.0.0.2', 'recvonly') }))
    },
  )
  const calling = alice.invite('sip:bob@10.0.0.2', {
    callId: 'golden@10.0.0.1',
    from: 'sip:alice:opensesame@10.0.0.1',
    sdp: description('10.0.0.1'),
    credentials: { username: 'alice', password: 'wonderland' },
  })
  await clock.advance(200)
  const call = await calling
  const hold = call.reinvite({ sdp: description('10.0.0.1', 'sendonly') })
  await clock.advance(1_000)
  expect((await hold).status).toBe(200)
  const bye = call.bye()
  await clock.advance(100)
  await bye
  expect(recorder.callIds).toEqual(['golden@10.0.0.1'])
}

describe('LadderRecorder', () => {
  it('draws a call with challenge, hold and hanging up as in the golden file', async () => {
    const { recorder, alice, bob } = await world()
    recorder.attach(alice, 'alice')
    recorder.attach(bob, 'bob')
    await callWithHold(recorder, alice, bob)
    const trace = recorder.trace('golden@10.0.0.1')!
    const drawn = `${trace.toText({ width: 80 })}\n${trace.toText({ width: 60, isAscii: true })}`
    const golden = fileURLToPath(new URL('call.ladder.txt', import.meta.url))
    if (process.env.CARILLON_WRITE === '1') writeFileSync(golden, drawn)
    expect(drawn).toBe(readFileSync(golden, 'utf8'))
  })

  it('records what two recorded stacks send to each other once', async () => {
    const { recorder, alice, bob } = await world()
    recorder.attach(alice, 'alice')
    const stop = recorder.attach(bob, 'bob')
    await callWithHold(recorder, alice, bob)
    const { steps } = recorder.trace('golden@10.0.0.1')!
    expect(steps.filter(({ method, status }) => method === 'BYE' && status === undefined)).toHaveLength(1)
    expect(steps.filter(({ repetition }) => repetition > 0)).toEqual([])
    stop()
  })

  it('shows no credentials, no passwords and no keys', async () => {
    const { recorder, alice, bob } = await world()
    recorder.attach(alice)
    await callWithHold(recorder, alice, bob)
    const trace = recorder.trace('golden@10.0.0.1')!
    const shown = trace.toText() + JSON.stringify(trace)
    expect(shown).toContain('Digest ***')
    expect(shown).toContain('sip:alice:***@10.0.0.1')
    for (const secret of ['wonderland', 'opensesame', 'c2VjcmV0', 'response=', 'nonce=']) {
      expect(shown, secret).not.toContain(secret)
    }
    expect(trace.toJSON().participants).toEqual(['10.0.0.1:5060', '10.0.0.2:5060'])
  })

  it('marks what a network in memory lost, and what was sent again', async () => {
    const { network, recorder, alice, bob } = await world({ names: { '10.0.0.1:5060': 'alice' } })
    const stop = recorder.watch(network)
    network.setConditions({ lossRate: 1 })
    const asking = alice.request({ method: 'OPTIONS', uri: 'sip:bob@10.0.0.2', callId: 'lossy' })
    await clock.advance(600)
    network.setConditions({ lossRate: 0 })
    await clock.advance(2_000)
    expect((await asking).status).toBe(200)
    stop()
    const trace = recorder.trace('lossy')!
    expect(trace.steps.map(({ label, fate, repetition }) => [label, fate, repetition])).toEqual([
      ['OPTIONS', 'lost', 0],
      ['OPTIONS', 'lost', 1],
      ['OPTIONS', 'sent', 2],
      ['200 OK', 'sent', 0],
    ])
    expect(trace.toText()).toMatch(/OPTIONS \(again, 2 times\)/)
    expect(trace.toText()).toMatch(/OPTIONS \(lost\)/)
    expect(bob.stats().transactions).toBeGreaterThanOrEqual(0)
  })

  it('puts the two sides of a bridge into one ladder, by time', async () => {
    const { feed, recorder } = fed()
    feed('in', 'OPTIONS', 'left', '192.0.2.1')
    clock.advanceSync(5)
    feed('out', 'OPTIONS', 'right', '192.0.2.9')
    clock.advanceSync(5)
    feed('in', 'INFO', 'left', '192.0.2.1')
    const trace = recorder.trace('left', 'right', 'nobody')!
    expect(trace.steps.map(({ atMs, callId }) => [atMs, callId])).toEqual([
      [0, 'left'],
      [5, 'right'],
      [10, 'left'],
    ])
    expect(trace.participants).toEqual(['192.0.2.1:5060', 'pbx', '192.0.2.9:5060'])
    const arrows = trace
      .toText({ isAscii: true })
      .split('\n')
      .filter((line) => line.includes('>'))
    expect(arrows).toHaveLength(3)
    expect(recorder.trace('nobody')).toBeUndefined()
  })

  it('keeps a terminal from being written to by a peer', () => {
    const { feed, recorder } = fed()
    const body = 'v=0\r\no=- 1 1 IN IP4 a\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 96\r\na=rtpmap:96 \u001b[2J/8000\r\n'
    // U+009B in UTF-8: the beginning of a control sequence, as ESC [ is.
    feed('in', 'SIP/2.0 200 owned\u00c2\u009b2J', 'x\u009b', '192.0.2.1', body)
    feed('in', 'SIP/2.0 200 \u001b[2J', 'x\u009b', '192.0.2.1')
    const text = recorder.trace('x\u009b')!.toText()
    expect(text).toContain('owned?2J')
    expect(text).toContain('unreadable')
    expect(text).toContain('audio ?:9')
    for (const letter of text) expect(letter === '\n' || letter >= ' ').toBe(true)
    expect(text).not.toContain('\u009b')
  })
})

/** A recorder that is fed by hand. */
function fed(options: LadderRecorderOptions = {}) {
  const recorder = new LadderRecorder({ clock, ...options })
  const listeners: ((event: MessageEvent) => void)[] = []
  recorder.attach(
    {
      listeners: [],
      on: (_event, listener) => {
        listeners.push(listener as (event: MessageEvent) => void)
        return () => {}
      },
    },
    'pbx',
  )
  const feed = (direction: 'in' | 'out', method: string, callId: string, address: string, body = '') => {
    const startLine = method.startsWith('SIP/') ? method : `${method} sip:a@b SIP/2.0`
    const bytes = Buffer.from(
      `${startLine}\r\nVia: SIP/2.0/UDP a\r\nCall-ID: ${callId}\r\nCSeq: 1 INFO\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      'latin1',
    )
    const remote = { transport: 'UDP', address, port: 5060 }
    listeners[direction === 'in' ? 0 : 1]!({ direction, bytes, startLine, transport: 'UDP', remote })
  }
  return { recorder, feed }
}

describe('The caps of a LadderRecorder', () => {
  it('forget the Call-ID without news for longest', () => {
    const { feed, recorder } = fed({ limits: { traceDialogsMax: 2 } })
    feed('in', 'INFO', 'a', '192.0.2.1')
    feed('in', 'INFO', 'b', '192.0.2.1')
    feed('in', 'INFO', 'a', '192.0.2.1')
    feed('in', 'INFO', 'c', '192.0.2.1')
    expect(recorder.callIds).toEqual(['a', 'c'])
  })

  it('forget the oldest messages of a long dialog, and say how many', () => {
    const { feed, recorder } = fed({ limits: { traceMessagesMax: 10 } })
    for (let count = 0; count < 1_000; count += 1) feed('in', 'INFO', 'long', '192.0.2.1', `${count}`)
    const data = recorder.trace('long')!.toJSON()
    expect(data.steps.length).toBeLessThanOrEqual(10)
    expect(data.steps.length + data.omitted).toBe(1_000)
  })

  it('hold for bytes as well, whoever they come from', () => {
    const { feed, recorder } = fed({ limits: { traceBytesMax: 100_000 } })
    for (let count = 0; count < 200; count += 1) feed('in', 'INFO', `many-${count}`, '192.0.2.1', 'x'.repeat(10_000))
    expect(recorder.callIds.length).toBeLessThan(10)
    expect(recorder.callIds.at(-1)).toBe('many-199')
    feed('in', 'INFO', 'huge', '192.0.2.1', 'x'.repeat(200_000))
    expect(recorder.callIds).toEqual([])
    feed('in', 'INFO', 'next', '192.0.2.1')
    expect(recorder.callIds).toEqual(['next'])
  })

  it('pass over what has no Call-ID, and what the filter does not want', () => {
    const { feed, recorder } = fed({ filter: (callId) => callId !== 'unwanted' })
    feed('in', 'INFO', '', '192.0.2.1')
    feed('in', 'INFO', 'unwanted', '192.0.2.1')
    expect(recorder.callIds).toEqual([])
  })
})
