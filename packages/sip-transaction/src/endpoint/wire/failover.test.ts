import { describe, expect, it } from 'vitest'
import { SeededRandom, ZoneResolver } from '../../testing'
import { Scenario } from '../fixtures/scenario'
import type { SipStackOptions } from '../options'
import type { IncomingRequest } from '../requests/incoming-request'
import type { SipStack } from '../stack'

const sdp = 'v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

/** Two servers of one domain; the first is preferred. */
const twoServers = `
$ORIGIN example.com.
_sip._udp SRV 1 0 5060 one
_sip._udp SRV 2 0 5060 two
_sip._tcp SRV 1 0 5060 one
_sip._tcp SRV 2 0 5060 two
one A 10.0.0.2
two A 10.0.0.3
plain A 10.0.0.2
`

interface World {
  readonly scenario: Scenario
  readonly alice: SipStack
  readonly resolver: ZoneResolver
  /** Every request that reached a server, its first copy only: `one INVITE UDP`. */
  readonly reached: string[]
  readonly requests: IncomingRequest[]
  server(name: string, options?: Partial<SipStackOptions>): Promise<SipStack>
}

/** Alice is 10.0.0.1; the servers made after her are .2 and .3. */
async function world(zone = twoServers, options: Partial<SipStackOptions> = {}): Promise<World> {
  const scenario = new Scenario()
  const resolver = new ZoneResolver({ zone, clock: scenario.clock })
  const alice = await scenario.stack('alice', { dns: { resolver }, ...options })
  const reached: string[] = []
  const requests: IncomingRequest[] = []
  const server = async (name: string, more: Partial<SipStackOptions> = {}) => {
    const stack = await scenario.stack(name, more)
    stack.use((request, next) => {
      reached.push(`${name} ${request.method} ${request.source.transport}`)
      requests.push(request)
      return next()
    })
    return stack
  }
  return { scenario, alice, resolver, reached, requests, server }
}

const both = (host: number) => ({ listen: [`udp://10.0.0.${host}:5060`, `tcp://10.0.0.${host}:5060`] })
const header = (text: string, name: string) => new RegExp(`^${name}: (.*?)\\r$`, 'im').exec(text)?.[1] ?? ''

/** What Alice sends from now on, each transaction once: method, destination, and the text. */
function sentBy(alice: SipStack): { to: string; text: string }[] {
  const sent: { to: string; text: string }[] = []
  alice.on('messageOut', ({ bytes, remote }) => {
    const text = Buffer.from(bytes).toString('latin1')
    if (!sent.some((other) => other.text === text)) sent.push({ to: `${remote.transport} ${remote.address}`, text })
  })
  return sent
}

async function failureOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no failure',
    (error: { code?: string }) => error.code ?? 'no code',
  )
}

describe('finding servers by name', () => {
  it('RFC 2782, RFC 3263 §4.3: SRV weights are honoured, and the other server takes over when one is dead', async () => {
    const zone = twoServers
      .replace('SRV 1 0 5060 one', 'SRV 1 75 5060 one')
      .replace('SRV 2 0 5060 two', 'SRV 1 25 5060 two')
    const w = await world(zone)
    const one = await w.server('one')
    await w.server('two')
    const ask = () => w.scenario.settle(w.alice.request({ method: 'OPTIONS', uri: 'sip:example.com' }))
    for (let round = 0; round < 200; round += 1) expect((await ask()).status).toBe(200)
    const share = w.reached.filter((line) => line.startsWith('one')).length / 200
    expect(share).toBeGreaterThan(0.65)
    expect(share).toBeLessThan(0.85)
    await w.scenario.settle(one.close({ graceMs: 0 }))
    w.reached.length = 0
    for (let round = 0; round < 5; round += 1) expect((await ask()).status).toBe(200)
    expect(w.reached).toEqual(Array.from({ length: 5 }, () => 'two OPTIONS UDP'))
  })

  it('RFC 3263 §4.1, §4.3: when the transport that NAPTR prefers takes nothing, the next one that it names is tried', async () => {
    const zone = `
$ORIGIN example.com.
@ NAPTR 50 1 "s" "SIP+D2T" "" _sip._tcp
@ NAPTR 50 2 "s" "SIP+D2U" "" _sip._udp
_sip._tcp SRV 1 0 5060 one
_sip._udp SRV 1 0 5060 two
one A 10.0.0.2
two A 10.0.0.3
`
    const w = await world(zone, both(1))
    const one = await w.server('one', both(2))
    await w.server('two')
    const ask = () => w.scenario.settle(w.alice.request({ method: 'OPTIONS', uri: 'sip:example.com' }))
    expect((await ask()).status).toBe(200)
    await w.scenario.settle(one.close({ graceMs: 0 }))
    expect((await ask()).status).toBe(200)
    expect(w.reached).toEqual(['one OPTIONS TCP', 'two OPTIONS UDP'])
  })

  it('asks once for what is asked for at the same time, and remembers it', async () => {
    const w = await world()
    await w.server('one')
    const ask = () => w.alice.request({ method: 'OPTIONS', uri: 'sip:example.com' })
    w.resolver.delay(50)
    const answers = await w.scenario.settle(Promise.all([ask(), ask(), ask()]))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    // The stack has no TCP, so it does not ask for it.
    const once = ['NAPTR example.com', 'SRV _sip._udp.example.com', 'A one.example.com', 'A two.example.com']
    expect(w.resolver.questions).toEqual(once)
    await w.scenario.settle(ask())
    expect(w.resolver.questions).toEqual(once)
    await w.scenario.pass(301_000)
    await w.scenario.settle(ask())
    expect(w.resolver.questions).toHaveLength(8)
  })

  it('a domain that is not there, servers that say nothing, and servers that fail are told apart', async () => {
    const w = await world()
    const ask = (uri: string) => w.scenario.settle(failureOf(w.alice.request({ method: 'OPTIONS', uri })))
    expect(await ask('sip:nowhere.example.com')).toBe('NAME_NOT_FOUND')
    w.resolver.trouble('A', 'broken.example.com', 'reject')
    expect(await ask('sip:broken.example.com')).toBe('NAME_LOOKUP_FAILED')
    for (const type of ['NAPTR', 'SRV', 'A'] as const)
      w.resolver.trouble(type, type === 'SRV' ? '_sip._udp.mute.example.com' : 'mute.example.com', 'silent')
    const before = w.scenario.clock.monotonicMs()
    expect(await ask('sip:mute.example.com')).toBe('NAME_LOOKUP_FAILED')
    expect(w.scenario.clock.monotonicMs() - before).toBeLessThan(5100)
    expect(await ask('sips:example.com')).toBe('UNREACHABLE')
    await w.scenario.pass(10_000)
    expect(w.scenario.clock.pending).toBe(0)
  })

  it('answers that lead in circles end the search after a few questions, whatever goes round', async () => {
    const w = await world(`
$ORIGIN example.com.
ring CNAME loop
loop CNAME ring
own NAPTR 1 0 "s" "SIP+D2U" "" own
own SRV 1 0 5060 own
self NAPTR 1 0 "s" "SIP+D2U" "" _sip._udp.self
_sip._udp.self SRV 1 0 5060 _sip._udp.self
pair NAPTR 1 0 "s" "SIP+D2U" "" _sip._udp.pair
_sip._udp.pair SRV 1 0 5060 ring
_sip._udp.pair SRV 2 0 5060 loop
_sip._udp.pair SRV 3 0 5060 pair
`)
    for (const name of ['ring', 'own', 'self', 'pair']) {
      const before = w.resolver.questions.length
      const asking = failureOf(w.alice.request({ method: 'OPTIONS', uri: `sip:${name}.example.com` }))
      expect(await w.scenario.settle(asking), name).toMatch(/^NAME_(NOT_FOUND|LOOKUP_FAILED)$/)
      expect(w.resolver.questions.length - before, name).toBeLessThan(8)
    }
    expect(w.scenario.clock.monotonicMs()).toBeLessThan(1_000)
    expect(w.scenario.gauges().every((gauge) => gauge === 0)).toBe(true)
  })

  it('aborting while the name is looked up sends nothing', async () => {
    const w = await world()
    await w.server('one')
    w.resolver.delay(1000)
    const controller = new AbortController()
    const asking = failureOf(w.alice.request({ method: 'OPTIONS', uri: 'sip:example.com', signal: controller.signal }))
    const calling = failureOf(w.alice.invite('sip:example.com', { sdp, signal: controller.signal }))
    await w.scenario.pass(100)
    controller.abort()
    await w.scenario.pass(5000)
    expect(await asking).toBe('ABORTED')
    expect(await calling).toBe('ABORTED')
    expect(w.reached).toEqual([])
    expect(w.scenario.gauges().every((gauge) => gauge === 0)).toBe(true)
  })

  it('closing the stack gives up what it looks up', async () => {
    const w = await world()
    w.resolver.trouble('NAPTR', 'example.com', 'silent')
    const asking = failureOf(w.alice.request({ method: 'OPTIONS', uri: 'sip:example.com' }))
    await w.scenario.pass(10)
    await w.scenario.settle(w.alice.close({ graceMs: 0 }))
    expect(await asking).not.toBe('no failure')
  })
})

describe('the next server', () => {
  it('RFC 3263 §4.3: an INVITE that gets no answer goes to the next one: same Call-ID and CSeq, new branch', async () => {
    const w = await world()
    await w.scenario.stack('nobody', { listen: ['udp://10.0.0.2:5999'] })
    const two = await w.server('two')
    two.method('INVITE', (request) => void request.accept({ sdp }))
    const sent = sentBy(w.alice)
    const call = await w.scenario.settle(w.alice.invite('sip:bob@example.com', { sdp }))
    const invites = sent.filter(({ text }) => text.startsWith('INVITE'))
    expect(invites.map(({ to }) => to)).toEqual(['UDP 10.0.0.2', 'UDP 10.0.0.3'])
    const [first, second] = invites.map(({ text }) => text) as [string, string]
    for (const name of ['Call-ID', 'CSeq', 'From', 'To']) expect(header(second, name)).toBe(header(first, name))
    expect(header(second, 'Via')).not.toBe(header(first, 'Via'))
    expect(w.scenario.clock.monotonicMs()).toBeGreaterThanOrEqual(32_000)
    await w.scenario.settle(call.bye())
    await w.scenario.pass(60_000)
    expect(w.scenario.gauges().every((gauge) => gauge === 0)).toBe(true)
  })

  it('a connection that is refused costs no time', async () => {
    const w = await world(twoServers, { listen: ['tcp://10.0.0.1:5060'] })
    await w.scenario.stack('nobody', { listen: ['udp://10.0.0.2:5060'] })
    await w.server('two', { listen: ['tcp://10.0.0.3:5060'] })
    const answer = await w.scenario.settle(w.alice.request({ method: 'OPTIONS', uri: 'sip:example.com' }))
    expect(answer.status).toBe(200)
    expect(w.reached).toEqual(['two OPTIONS TCP'])
    expect(w.scenario.clock.monotonicMs()).toBeLessThan(100)
  })

  it('RFC 3261 §21.5.4: 503 leads to the next one, and Retry-After keeps the first one last for so long', async () => {
    const w = await world()
    const one = await w.server('one')
    await w.server('two')
    let isBusy = true
    one.use((request, next) => (isBusy ? request.reply(503, { headers: [['Retry-After', '120']] }) : next()))
    const ask = async () =>
      (await w.scenario.settle(w.alice.request({ method: 'OPTIONS', uri: 'sip:example.com' }))).status
    expect(await ask()).toBe(200)
    expect(await ask()).toBe(200)
    expect(w.reached).toEqual(['one OPTIONS UDP', 'two OPTIONS UDP', 'two OPTIONS UDP'])
    isBusy = false
    await w.scenario.pass(119_000)
    expect(await ask()).toBe(200)
    await w.scenario.pass(2000)
    expect(await ask()).toBe(200)
    expect(w.reached.slice(3)).toEqual(['two OPTIONS UDP', 'one OPTIONS UDP'])
  })

  it('an INVITE refused with 503 is acknowledged there and goes on; a 503 of all of them is the one outcome', async () => {
    const w = await world()
    for (const name of ['one', 'two']) {
      const stack = await w.server(name)
      stack.method('INVITE', (request) => {
        request.reply(180)
        request.reply(503)
      })
    }
    const progress: number[] = []
    const onProvisional = (response: { status: number }) => progress.push(response.status)
    const calling = w.alice.invite('sip:bob@example.com', { sdp, onProvisional })
    const error = await w.scenario.settle(calling.catch((reason: { status?: number }) => reason.status))
    expect(error).toBe(503)
    await w.scenario.pass(1000)
    expect(w.scenario.ladder.filter((line) => line.startsWith('alice'))).toEqual([
      'alice>one INVITE',
      'alice>one ACK',
      'alice>two INVITE',
      'alice>two ACK',
    ])
    await w.scenario.pass(60_000)
    expect(w.scenario.gauges().every((gauge) => gauge === 0)).toBe(true)
  })

  it('a 503 is the outcome when the servers after it say nothing at all', async () => {
    const w = await world()
    const one = await w.server('one')
    one.use((request) => request.reply(503))
    const answer = await w.scenario.settle(w.alice.request({ method: 'OPTIONS', uri: 'sip:example.com' }))
    expect(answer.status).toBe(503)
    expect(w.scenario.clock.monotonicMs()).toBeGreaterThanOrEqual(32_000)
  })

  it('other failures end it: 486 of the first server is the answer', async () => {
    const w = await world()
    const one = await w.server('one')
    await w.server('two')
    one.method('INVITE', (request) => request.reply(486))
    const calling = w.alice.invite('sip:bob@example.com', { sdp })
    expect(await w.scenario.settle(calling.catch((reason: { status?: number }) => reason.status))).toBe(486)
    expect(w.reached).toEqual(['one INVITE UDP'])
  })

  it('RFC 3263 §4.3: the ACK of a 2xx goes to the next server of its Contact when the first takes none', async () => {
    const w = await world(twoServers, both(1))
    await w.scenario.stack('one', { listen: ['udp://10.0.0.2:5060'] })
    const two = await w.server('two', both(3))
    const contact = '<sip:bob@example.com;transport=tcp>'
    let isAcknowledged = false
    two.method('INVITE', async (request) => {
      request.reply(200, { contact, body: sdp })
    })
    two.on('messageIn', ({ startLine }) => {
      isAcknowledged ||= startLine.startsWith('ACK ')
    })
    const call = await w.scenario.settle(w.alice.invite('sip:bob@10.0.0.3', { sdp }))
    await w.scenario.pass(400)
    expect(isAcknowledged).toBe(true)
    expect(w.scenario.ladder.filter((line) => line.includes('ACK'))).toEqual(['alice>one ACK', 'alice>two ACK'])
    // Nothing is repeated: the 2xx had to be sent once.
    await w.scenario.pass(5_000)
    expect(w.scenario.ladder.filter((line) => line === 'two>alice 200 INVITE')).toHaveLength(1)
    await w.scenario.settle(call.bye())
    await w.scenario.pass(60_000)
    expect(w.scenario.gauges().every((gauge) => gauge === 0)).toBe(true)
  })

  it('RFC 3261 §9.1: CANCEL and the ACK of its 487 go where the INVITE went', async () => {
    const w = await world()
    const one = await w.server('one')
    const two = await w.server('two')
    one.method('INVITE', (request) => request.reply(503))
    two.method('INVITE', (request) => request.reply(180))
    const controller = new AbortController()
    const calling = failureOf(w.alice.invite('sip:bob@example.com', { sdp, signal: controller.signal }))
    await w.scenario.pass(1000)
    controller.abort()
    await w.scenario.pass(5000)
    expect(await calling).toBe('ABORTED')
    expect(w.scenario.ladder.filter((line) => line.startsWith('alice'))).toEqual([
      'alice>one INVITE',
      'alice>one ACK',
      'alice>two INVITE',
      'alice>two CANCEL',
      'alice>two ACK',
    ])
  })

  it('a request that was given up is not sent anywhere else', async () => {
    const w = await world()
    await w.scenario.stack('nobody', { listen: ['udp://10.0.0.2:5999'] })
    await w.server('two')
    const controller = new AbortController()
    const calling = failureOf(w.alice.invite('sip:bob@example.com', { sdp, signal: controller.signal }))
    await w.scenario.pass(10_000)
    controller.abort()
    await w.scenario.pass(120_000)
    expect(await calling).toBe('ABORTED')
    expect(w.reached).toEqual([])
    expect(w.scenario.gauges().every((gauge) => gauge === 0)).toBe(true)
  })

  it('a dead server is tried last for a while, not never, and first again once it has answered', async () => {
    const w = await world()
    const ask = () => w.scenario.settle(w.alice.request({ method: 'OPTIONS', uri: 'sip:example.com' }))
    const one = await w.server('one')
    const two = await w.server('two')
    w.scenario.network.partition(['10.0.0.1'], ['10.0.0.2'])
    expect((await ask()).status).toBe(200)
    const beganMs = w.scenario.clock.monotonicMs()
    expect((await ask()).status).toBe(200)
    expect(w.scenario.clock.monotonicMs() - beganMs).toBeLessThan(100)
    w.scenario.network.heal()
    await w.scenario.settle(two.close({ graceMs: 0 }))
    w.reached.length = 0
    // Blocked, but the only one left.
    expect((await ask()).status).toBe(200)
    expect(w.reached).toEqual(['one OPTIONS UDP'])
    const againMs = w.scenario.clock.monotonicMs()
    expect((await ask()).status).toBe(200)
    expect(w.scenario.clock.monotonicMs() - againMs).toBeLessThan(100)
    await w.scenario.settle(one.close({ graceMs: 0 }))
  })

  it('requests inside a call fail over too, when the peer is named by a domain', async () => {
    const w = await world()
    await w.server('one')
    const bob = await w.scenario.raw('bob')
    // Bob's Contact names the domain; his own place is a third one.
    const calling = w.alice.invite(`sip:bob@${bob.address}`, { sdp })
    await w.scenario.pass(10)
    const invite = bob.received[0]!
    const copied = ['Via', 'From', 'Call-ID', 'CSeq'].map((name) => `${name}: ${header(invite, name)}`)
    const lines = ['SIP/2.0 200 OK', ...copied, `To: ${header(invite, 'To')};tag=b`, 'Contact: <sip:bob@example.com>']
    const rest = ['Content-Type: application/sdp', `Content-Length: ${sdp.length}`]
    w.scenario.network.partition(['10.0.0.1'], ['10.0.0.2'])
    await w.server('two')
    bob.send('10.0.0.1', [...lines, ...rest], sdp)
    const call = await w.scenario.settle(calling)
    const sent = sentBy(w.alice)
    const asking = call.request('INFO')
    await w.scenario.pass(64_000)
    expect((await asking).status).toBe(481)
    const infos = sent.filter(({ text }) => text.startsWith('INFO'))
    expect(infos.map(({ to }) => to)).toEqual(['UDP 10.0.0.2', 'UDP 10.0.0.3'])
    expect(header(infos[0]!.text, 'CSeq')).toBe(header(infos[1]!.text, 'CSeq'))
  })

  it('a challenge is answered at the server that made it, and a server after it may make its own', async () => {
    const w = await world()
    const challenge = (nonce: string) => `Digest realm="example.com", nonce="${nonce}", algorithm=MD5, qop="auth"`
    const answered: string[] = []
    let isOneUp = true
    for (const name of ['one', 'two']) {
      const stack = await w.server(name)
      stack.use((request) => {
        const credentials = request.message.get('Authorization') ?? ''
        if (name === 'one' && credentials !== '') isOneUp = false
        if (name === 'one' && !isOneUp) request.reply(503)
        else if (!credentials.includes(`"${name}"`))
          request.reply(401, { headers: [['WWW-Authenticate', challenge(name)]] })
        else {
          answered.push(name)
          request.reply(200)
        }
      })
    }
    const credentials = { username: 'alice', password: 'secret' }
    const asking = w.alice.request({ method: 'OPTIONS', uri: 'sip:example.com', credentials })
    expect((await w.scenario.settle(asking)).status).toBe(200)
    expect(w.reached.map((line) => line.split(' ')[0])).toEqual(['one', 'one', 'two', 'two'])
    expect(answered).toEqual(['two'])
  })

  it('an address that the user gives is the only one', async () => {
    const w = await world()
    await w.server('one')
    const destination = { transport: 'UDP', address: '10.0.0.7', port: 5060 }
    const asking = w.alice.request({ method: 'OPTIONS', uri: 'sip:example.com', destination })
    expect(await w.scenario.settle(failureOf(asking))).toBe('TIMEOUT')
    expect(w.reached).toEqual([])
    expect(w.resolver.questions).toEqual([])
  })

  it('a cap of this stack is the fault of no server: nothing is tried again, nobody is blocked', async () => {
    const limits = { transaction: { transactionsMax: 0 } }
    const w = await world(twoServers, { limits })
    await w.server('one')
    const sent = sentBy(w.alice)
    expect(await w.scenario.settle(failureOf(w.alice.request({ method: 'OPTIONS', uri: 'sip:example.com' })))).toBe(
      'TRANSPORT_FAILED',
    )
    expect(sent).toEqual([])
  })
})

describe('a request that cannot be written', () => {
  it('tells whoever waits for it, instead of never ending', async () => {
    const w = await world()
    const headers = [['X-Note', 'a\r\nVia: forged']] as const
    const asking = failureOf(w.alice.request({ method: 'OPTIONS', uri: 'sip:10.0.0.2', headers }))
    expect(await w.scenario.settle(asking)).toBe('REQUEST_INVALID')
    expect(await w.scenario.settle(failureOf(w.alice.invite('sip:example.com', { sdp, headers })))).toBe(
      'REQUEST_INVALID',
    )
    expect(w.scenario.gauges().every((gauge) => gauge === 0)).toBe(true)
  })
})

describe('long requests', () => {
  const long = { body: 'x'.repeat(1400), contentType: 'text/plain' }
  const longWorld = async (zone = twoServers) => {
    const w = await world(zone, both(1))
    const accept = (stack: SipStack) => stack.method('MESSAGE', (request) => request.reply(200))
    const send = (uri: string, body = long.body) =>
      w.scenario.settle(w.alice.request({ method: 'MESSAGE', uri, ...long, body }))
    return { ...w, accept, send }
  }

  it('RFC 3261 §18.1.1: over 1300 bytes go over TCP when the peer has it, and the Via says so', async () => {
    const w = await longWorld()
    w.accept(await w.server('one', both(2)))
    expect((await w.send('sip:bob@10.0.0.2')).status).toBe(200)
    expect((await w.send('sip:bob@10.0.0.2', 'short')).status).toBe(200)
    expect(w.reached).toEqual(['one MESSAGE TCP', 'one MESSAGE UDP'])
    expect(w.requests[0]!.message.via.transport).toBe('TCP')
  })

  it('RFC 3261 §18.1.1: a peer that refuses the connection gets it over UDP, at once the next time', async () => {
    const w = await longWorld()
    w.accept(await w.server('one'))
    const sent = sentBy(w.alice)
    for (let round = 0; round < 2; round += 1) expect((await w.send('sip:bob@10.0.0.2')).status).toBe(200)
    expect(sent.map(({ to }) => to)).toEqual(['TCP 10.0.0.2', 'UDP 10.0.0.2', 'UDP 10.0.0.2'])
    expect(w.requests.map(({ message }) => message.via.transport)).toEqual(['UDP', 'UDP'])
    expect(header(sent[0]!.text, 'CSeq')).toBe(header(sent[1]!.text, 'CSeq'))
  })

  it('a URI that says UDP is taken at its word', async () => {
    const w = await longWorld()
    w.accept(await w.server('one', both(2)))
    expect((await w.send('sip:bob@10.0.0.2;transport=udp')).status).toBe(200)
    expect(w.reached).toEqual(['one MESSAGE UDP'])
  })

  it('the TCP servers that the DNS names come first, whatever it prefers for short requests', async () => {
    const zone = `$ORIGIN example.com.\n_sip._udp SRV 1 0 5060 one\n_sip._tcp SRV 1 0 5060 two\none A 10.0.0.2\ntwo A 10.0.0.3\n`
    const w = await longWorld(zone)
    w.accept(await w.server('one', both(2)))
    w.accept(await w.server('two', both(3)))
    expect((await w.send('sip:bob@example.com')).status).toBe(200)
    expect((await w.send('sip:bob@example.com', 'short')).status).toBe(200)
    expect(w.reached).toEqual(['two MESSAGE TCP', 'one MESSAGE UDP'])
  })
})

describe('sips', () => {
  const secure = (scenario: Scenario) => [
    scenario.network.factory({ scheme: 'udp', transportName: 'UDP' }),
    scenario.network.factory({ scheme: 'tls', transportName: 'TLS', isReliable: true, isSecure: true }),
  ]

  /** Alice and a server, each with UDP and TLS. */
  async function secureWorld() {
    const scenario = new Scenario()
    const zone = '$ORIGIN example.com.\n@ A 10.0.0.2\n_sip._udp SRV 1 0 5060 @\n_sips._tcp SRV 1 0 5061 @\n'
    const resolver = new ZoneResolver({ zone })
    const stacks: SipStack[] = []
    for (const host of [1, 2]) {
      const listen = [`udp://10.0.0.${host}:5060`, `tls://10.0.0.${host}:5061`]
      const more = { listen, transports: secure(scenario), dns: { resolver }, random: new SeededRandom(host) }
      stacks.push(await scenario.stack(`host${host}`, more))
    }
    return { scenario, alice: stacks[0]!, bob: stacks[1]! }
  }

  it('RFC 3261 §8.1.1.8, §12.1.1: every hop is secure, and a sips request gets a sips Contact from both sides', async () => {
    const w = await secureWorld()
    const requests: IncomingRequest[] = []
    w.bob.method('INVITE', (request) => {
      requests.push(request)
      void request.accept({ sdp })
    })
    const answers: string[] = []
    w.bob.on('messageOut', ({ bytes }) => answers.push(Buffer.from(bytes).toString('latin1')))
    const call = await w.scenario.settle(w.alice.invite('sips:bob@example.com', { sdp }))
    expect(requests[0]!.source.transport).toBe('TLS')
    expect(requests[0]!.message.contacts[0]!.uri.toString()).toBe('sips:10.0.0.1:5061')
    expect(header(answers.at(-1)!, 'Contact')).toBe('<sips:bob@10.0.0.2:5061>')
    await w.scenario.settle(call.bye())
    expect(w.scenario.ladder.at(-2)).toBe('host1>host2 BYE')
  })

  it('RFC 3261 §8.1.2: a sip route to a sips resource is taken over TLS', async () => {
    const w = await secureWorld()
    const seen: string[] = []
    w.bob.use((request) => {
      seen.push(request.source.transport)
      request.reply(200)
    })
    const routes = ['<sip:10.0.0.2:5061;lr>']
    await w.scenario.settle(w.alice.request({ method: 'OPTIONS', uri: 'sips:bob@example.net', routes }))
    expect(seen).toEqual(['TLS'])
  })

  it('a sip request has a sip Contact', async () => {
    const w = await secureWorld()
    const contacts: string[] = []
    w.bob.use((request) => {
      contacts.push(request.message.contacts[0]!.uri.toString())
      request.reply(200)
    })
    const ask = (uri: string) => w.scenario.settle(w.alice.request({ method: 'OPTIONS', uri, contact: true }))
    await ask('sip:bob@10.0.0.2')
    await ask('sip:bob@10.0.0.2:5061;transport=tls')
    expect(contacts).toEqual(['sip:10.0.0.1:5060', 'sip:10.0.0.1:5061;transport=tls'])
  })
})

describe('answers whose connection is gone', () => {
  const zone = 'cluster.example.com. A 10.0.0.2\ncluster.example.com. A 10.0.0.3\n'

  /** A client connects, asks as `cluster.example.com` and is gone before it is answered. */
  async function lateAnswer(followSentBy: boolean): Promise<string[]> {
    const scenario = new Scenario()
    const resolver = new ZoneResolver({ zone })
    const dns = { resolver, followSentBy }
    const server = await scenario.stack('server', { listen: ['tcp://10.0.0.1:5060'], dns })
    const waiting: IncomingRequest[] = []
    server.use((request) => {
      waiting.push(request)
    })
    const client = await scenario.stack('client', { listen: ['tcp://10.0.0.2:5099'], advertise: 'cluster.example.com' })
    const member = await scenario.stack('member', { listen: ['tcp://10.0.0.3:5099'] })
    const uri = 'sip:10.0.0.1;transport=tcp'
    void client.request({ method: 'OPTIONS', uri }).catch(() => {})
    await scenario.pass(10)
    await scenario.settle(client.close({ graceMs: 0 }))
    const got: string[] = []
    member.on('messageIn', ({ startLine }) => got.push(startLine))
    waiting[0]!.reply(200)
    await scenario.pass(1000)
    return got
  }

  it('RFC 3263 §5: go to the servers that the DNS names for the Via, when the user wants it', async () => {
    expect(await lateAnswer(true)).toEqual(['SIP/2.0 200 OK'])
  })

  it('go nowhere else by default: a reply never goes where its request did not come from', async () => {
    expect(await lateAnswer(false)).toEqual([])
  })
})
