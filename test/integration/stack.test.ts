/** SipStack over real UDP and TCP sockets on loopback: register with digest, calls, bridges, the end of the stack. */
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { BindingTable, type Call, createNodeRandom, DigestVerifier, digest, SipStack } from '@carillon/sip-transaction'
import { afterEach, describe, expect, it } from 'vitest'

const sdp = (who: string) =>
  `v=0\r\no=${who} 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n`
const open: SipStack[] = []

async function stack(...listen: string[]): Promise<SipStack> {
  const made = await SipStack.create({
    listen: listen.length === 0 ? ['udp://127.0.0.1:0', 'tcp://127.0.0.1:0'] : listen,
  })
  open.push(made)
  return made
}

function uriOf(target: SipStack, transport: 'UDP' | 'TCP', user = 'x'): string {
  const listener = target.listeners.find((candidate) => candidate.transport === transport)!
  return listener.uri.with({ user }).toString()
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close({ graceMs: 0 })))
})

/** A registrar that also bridges calls to what is registered. */
async function server(): Promise<SipStack> {
  const made = await stack()
  const verifier = new DigestVerifier({ realm: 'test', secret: randomBytes(32), random: createNodeRandom() })
  const passwords = new Map([
    ['alice', 'wonder'],
    ['bob', 'builder'],
  ])
  const guard = digest.required(verifier, (username) => {
    const password = passwords.get(username)
    return password === undefined ? undefined : { password }
  })
  const bindings = new BindingTable()
  const aorOf = (text: string) => text.replace(/^sip:|@.*$/g, '')
  made.method('REGISTER', guard, (request) => {
    const result = bindings.apply(request, performance.now(), aorOf(request.to.uri.toString()))
    request.reply(result.status, result)
  })
  made.method('INVITE', guard, async (request) => {
    const found = bindings.lookup(aorOf(request.uri.toString()), performance.now())
    if (found.length === 0) request.reply(404)
    else {
      await request.bridge(found.map((binding) => binding.toTarget()))
    }
  })
  return made
}

async function register(phone: SipStack, home: SipStack, user: string, password: string, transport: 'UDP' | 'TCP') {
  return phone.request({
    method: 'REGISTER',
    uri: uriOf(home, transport, 'home').replace('home@', ''),
    from: `<sip:${user}@test>`,
    to: `<sip:${user}@test>`,
    contact: true,
    headers: [['Expires', 300]],
    credentials: { username: user, password },
  })
}

describe('over real sockets', () => {
  it.each(['UDP', 'TCP'] as const)('registers with digest and calls through a bridge over %s', async (transport) => {
    const home = await server()
    const [alice, bob] = [await stack(), await stack()]
    expect((await register(alice, home, 'alice', 'wrong', transport)).status).toBe(401)
    expect((await register(alice, home, 'alice', 'wonder', transport)).status).toBe(200)
    expect((await register(bob, home, 'bob', 'builder', transport)).status).toBe(200)
    const bobCalls: Promise<Call>[] = []
    bob.method('INVITE', (request) => {
      request.reply(180)
      bobCalls.push(request.accept({ sdp: sdp('bob') }))
    })
    const rings: number[] = []
    const credentials = { username: 'alice', password: 'wonder' }
    const call = await alice.invite(uriOf(home, transport, 'bob'), {
      from: '"Alice" <sip:alice@test>',
      sdp: sdp('alice'),
      credentials,
      onProvisional: (response) => rings.push(response.status),
    })
    const bobCall = await bobCalls[0]!
    expect(rings).toContain(180)
    expect(Buffer.from(call.remoteSdp!).toString()).toBe(sdp('bob'))
    expect(Buffer.from(bobCall.remoteSdp!).toString()).toBe(sdp('alice'))
    expect(bobCall.remote.displayName).toBe('Alice')
    expect(home.stats()).toMatchObject({ bridges: 1, dialogs: 2 })
    const held = bobCall.onRequest((request) => request.reply(200, { body: sdp('bob') }))
    expect((await call.reinvite({ sdp: sdp('alice') })).status).toBe(200)
    expect(held).toBe(bobCall)
    if (transport === 'UDP') await call.bye()
    else await bobCall.bye()
    await Promise.all([call.ended, bobCall.ended])
    expect(home.stats()).toMatchObject({ bridges: 0, calls: 0, ringing: 0 })
    const nobody = await alice
      .invite(uriOf(home, transport, 'nobody'), { from: '<sip:alice@test>', credentials })
      .catch((error) => error)
    expect(nobody).toMatchObject({ code: 'CALL_FAILED', status: 404 })
  })

  it('CANCEL before the answer', async () => {
    const [alice, bob] = [await stack(), await stack()]
    const cancelled = new Promise<void>((resolve) => {
      bob.method('INVITE', (request) => {
        request.reply(180)
        request.signal.addEventListener('abort', () => resolve())
      })
    })
    const controller = new AbortController()
    const calling = alice.invite(uriOf(bob, 'UDP'), {
      sdp: sdp('a'),
      signal: controller.signal,
      onProvisional: () => controller.abort(),
    })
    await expect(calling).rejects.toMatchObject({ code: 'ABORTED' })
    await cancelled
  })

  it('works over IPv6', async () => {
    const [alice, bob] = [await stack('udp://[::1]:0'), await stack('udp://[::1]:0')]
    bob.method('MESSAGE', (request) => request.reply(202))
    const response = await alice.request({
      method: 'MESSAGE',
      uri: uriOf(bob, 'UDP'),
      body: 'hello',
      contentType: 'text/plain',
    })
    expect(response.status).toBe(202)
  })

  it('close() during a call ends it, frees the ports and leaves nothing that keeps a process', async () => {
    const [alice, bob] = [await stack(), await stack()]
    bob.method('INVITE', (request) => {
      request.accept({ sdp: sdp('bob') }).catch(() => {})
    })
    const call = await alice.invite(uriOf(bob, 'TCP'), { sdp: sdp('alice') })
    const ports = bob.listeners.map(({ transport, port }) => `${transport.toLowerCase()}://127.0.0.1:${port}`)
    const startedMs = performance.now()
    await bob.close({ graceMs: 100 })
    expect(await call.ended).toMatchObject({ by: 'remote' })
    expect(performance.now() - startedMs).toBeLessThan(3000)
    await stack(...ports)
    await Promise.all(open.splice(0).map((one) => one.close()))
    await expect(call.request('INFO')).rejects.toMatchObject({ code: 'STACK_CLOSED' })
    // Node takes a turn or two to forget handles that are closed.
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    expect(process.getActiveResourcesInfo().filter((name) => /^(tcp|udp)/i.test(name))).toEqual([])
  })

  it('a listener that cannot be bound fails with a code and leaves none of the others open', async () => {
    const first = await stack('tcp://127.0.0.1:0')
    const taken = first.listeners[0]!.port
    await expect(SipStack.create({ listen: ['udp://127.0.0.1:0', `tcp://127.0.0.1:${taken}`] })).rejects.toMatchObject({
      code: 'ADDRESS_IN_USE',
    })
    await expect(SipStack.create({ listen: ['sctp://127.0.0.1:0'] })).rejects.toMatchObject({
      code: 'TRANSPORT_UNKNOWN',
    })
    await expect(SipStack.create({ listen: ['udp://localhost'] })).rejects.toMatchObject({ code: 'LISTEN_INVALID' })
  })

  it('garbage on both transports is counted, and the next request is served', async () => {
    const bob = await stack()
    const [udp, tcp] = ['UDP', 'TCP'].map((name) => bob.listeners.find((one) => one.transport === name)!.port)
    const socket = createSocket('udp4')
    for (let length = 0; length < 200; length += 1) socket.send(randomBytes(length), udp!, '127.0.0.1')
    const stream = connect(tcp!, '127.0.0.1')
    await once(stream, 'connect')
    stream.on('error', () => {})
    stream.write(randomBytes(10_000))
    stream.write('\r\n\r\n\r\n\r\n')
    await once(stream, 'close')
    socket.close()
    const alice = await stack()
    expect((await alice.request({ method: 'OPTIONS', uri: uriOf(bob, 'TCP') })).status).toBe(200)
    expect((await alice.request({ method: 'OPTIONS', uri: uriOf(bob, 'UDP') })).status).toBe(200)
    const { dropped } = bob.stats().counters
    expect(dropped.garbage).toBeGreaterThan(10)
  })

  it('a thousand calls leave nothing behind but the tombstones of their transactions', async () => {
    const [alice, bob] = [await stack('udp://127.0.0.1:0'), await stack('udp://127.0.0.1:0')]
    bob.method('INVITE', (request) => {
      request.accept({ sdp: sdp('bob') }).catch(() => {})
    })
    const target = uriOf(bob, 'UDP')
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(
        Array.from({ length: 50 }, async () => {
          const call = await alice.invite(target, { sdp: sdp('alice') })
          await call.bye()
        }),
      )
    }
    for (const one of [alice, bob]) expect(one.stats()).toMatchObject({ dialogs: 0, calls: 0, ringing: 0, requests: 0 })
  })
})
