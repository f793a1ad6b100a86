/** Authentication between whole stacks: RFC 3261 §22, RFC 7616 §3, RFC 7615. */
import { describe, expect, it } from 'vitest'
import { computeUserhash, type DigestHash } from '../../auth/digest'
import { DigestVerifier } from '../../auth/verifier'
import type { DigestRefusal, DigestVerifierOptions } from '../../auth/verifier-options'
import { SeededRandom } from '../../testing'
import { Scenario } from '../fixtures/scenario'
import { digest } from './digest'
import type { IncomingRequest } from './incoming-request'

const alice = { username: 'alice', password: 'wonderland' }
const sdp = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

function verifierOf(realm: string, changes: Partial<DigestVerifierOptions> = {}): DigestVerifier {
  return new DigestVerifier({ realm, secret: new Uint8Array(32).fill(5), random: new SeededRandom(3), ...changes })
}

const lookup = (username: string) => (username === 'alice' ? alice : undefined)

/** A caller, and a server that lets nobody in without a password. */
async function world(changes: Partial<DigestVerifierOptions> = {}) {
  const scenario = new Scenario()
  const refused: DigestRefusal[] = []
  const seen: IncomingRequest[] = []
  const server = await scenario.stack('server')
  const verifier = verifierOf('example.com', changes)
  const guard = digest.required(verifier, lookup, { onRefused: (_, reason) => refused.push(reason) })
  server.use((request, next) => {
    seen.push(request)
    return next()
  }, guard)
  const phone = await scenario.stack('phone')
  return { scenario, server, phone, refused, seen, verifier }
}

const register = { method: 'REGISTER', uri: 'sip:10.0.0.1' } as const

describe('a registration', () => {
  it('is asked for a password once; the first request counts against nobody', async () => {
    const w = await world()
    w.server.method('REGISTER', (request) => request.reply(200, { headers: digest.info(request) }))
    for (let round = 0; round < 3; round += 1) {
      const response = await w.scenario.settle(w.phone.request({ ...register, credentials: alice }))
      expect(response.status).toBe(200)
      expect(response.get('Authentication-Info')).toContain('rspauth=')
    }
    expect(w.refused).toEqual(['absent'])
    const counts = w.seen.map(({ message }) => message.authorizations[0]?.nc)
    expect(counts).toEqual([undefined, '00000001', '00000002', '00000003'])
  })

  it('by another credentials object begins from nothing', async () => {
    const w = await world()
    w.server.method('REGISTER', (request) => request.reply(200))
    for (let round = 0; round < 2; round += 1)
      await w.scenario.settle(w.phone.request({ ...register, credentials: { ...alice } }))
    expect(w.refused).toEqual(['absent', 'absent'])
  })

  it('RFC 7616 §3.5: changes its nonce in time, and is asked again only when it was away for too long', async () => {
    const w = await world({ nonceLifetimeMs: 60_000 })
    w.server.method('REGISTER', (request) => request.reply(200, { headers: digest.info(request) }))
    for (let round = 0; round < 12; round += 1) {
      await w.scenario.settle(w.phone.request({ ...register, credentials: alice }))
      await w.scenario.pass(20_000)
    }
    expect(w.refused).toEqual(['absent'])
    await w.scenario.pass(120_000)
    expect((await w.scenario.settle(w.phone.request({ ...register, credentials: alice }))).status).toBe(200)
    expect(w.refused).toEqual(['absent', 'stale'])
  })

  it('with a wrong password is tried once, and an unknown user gets the same answer', async () => {
    const w = await world()
    const answers: string[] = []
    for (const username of ['alice', 'nobody']) {
      const credentials = { username, password: 'guess' }
      const response = await w.scenario.settle(w.phone.request({ ...register, credentials }))
      const varying = /nonce="[^"]*"|tag=[^;\r\n]*|branch=[^;\r\n]*|^Call-ID.*|^CSeq.*/gim
      answers.push(response.toString().replace(varying, ''))
    }
    expect(answers[0]).toBe(answers[1])
    expect(w.refused).toEqual(['absent', 'wrong', 'absent', 'wrong'])
    expect(w.seen).toHaveLength(4)
  })

  it('RFC 7616 §3.4.4: hides its user where the server lets it', async () => {
    const scenario = new Scenario()
    const server = await scenario.stack('server')
    const asked: [string, DigestHash | undefined][] = []
    const guard = digest.required(verifierOf('example.com', { userhash: true }), (username, _, userhash) => {
      asked.push([username, userhash])
      const isAlice = userhash !== undefined && username === computeUserhash(userhash, 'alice', 'example.com')
      return isAlice ? alice : undefined
    })
    server.method('REGISTER', guard, (request) => {
      request.reply(200, { headers: [['X-User', String(request.locals.get('digest.username'))]] })
    })
    const phone = await scenario.stack('phone')
    const response = await scenario.settle(phone.request({ ...register, credentials: alice }))
    expect(response.get('X-User')).toBe('alice')
    expect(asked).toEqual([[computeUserhash('SHA-256', 'alice', 'example.com'), 'SHA-256']])
  })

  it('RFC 7616 §3.5: whose server proves nothing of what it claims is reported to its user, and noted', async () => {
    const scenario = new Scenario()
    const server = await scenario.stack('server')
    const guard = digest.required(verifierOf('example.com'), lookup)
    server.method('REGISTER', guard, (request) => {
      const claimed = `rspauth="${'0'.repeat(64)}", qop=auth, nextnonce="theirs"`
      request.reply(200, { headers: [['Authentication-Info', claimed]] })
    })
    const warnings: string[] = []
    const log = {
      debug: () => {},
      info: () => {},
      error: () => {},
      warn: (_: object, text: string) => warnings.push(text),
    }
    const phone = await scenario.stack('phone', { logger: log })
    const unproven: string[] = []
    phone.on('serverUnproven', ({ method, uri, status, remote }) =>
      unproven.push(`${method} ${uri} ${status} ${remote.address}`),
    )
    expect((await scenario.settle(phone.request({ ...register, credentials: alice }))).status).toBe(200)
    expect(unproven).toEqual(['REGISTER sip:10.0.0.1 200 10.0.0.1'])
    expect(warnings).toHaveLength(1)
    expect(warnings.join()).not.toMatch(/wonderland|[0-9a-f]{32}/)
  })
})

describe('info: true', () => {
  it('RFC 7615 §3: puts the proof into each 2xx, once, whoever answers; a call is answered with it as well', async () => {
    const scenario = new Scenario()
    const server = await scenario.stack('server')
    server.use(digest.required(verifierOf('example.com'), lookup, { info: true }))
    server.method('REGISTER', (request) => request.reply(200))
    server.method('MESSAGE', (request) => request.reply(200, { headers: digest.info(request) }))
    server.method('SUBSCRIBE', (request) => request.reply(489))
    server.method('INVITE', async (request) => {
      request.reply(180)
      await request.accept({ sdp })
    })
    const phone = await scenario.stack('phone')
    const unproven: string[] = []
    phone.on('serverUnproven', ({ method }) => unproven.push(method))
    const infos: [string, number][] = []
    phone.on('messageIn', ({ startLine, message }) =>
      infos.push([startLine, message?.getAll('Authentication-Info').length ?? 0]),
    )
    for (const method of ['REGISTER', 'MESSAGE', 'SUBSCRIBE'])
      await scenario.settle(phone.request({ method, uri: 'sip:10.0.0.1', credentials: alice }))
    const call = await scenario.settle(phone.invite('sip:bob@10.0.0.1', { sdp, credentials: alice }))
    expect(infos.filter(([line]) => !line.includes('401') && !line.includes('100'))).toEqual([
      ['SIP/2.0 200 OK', 1],
      ['SIP/2.0 200 OK', 1],
      ['SIP/2.0 489 Bad Event', 0],
      ['SIP/2.0 180 Ringing', 0],
      ['SIP/2.0 200 OK', 1],
    ])
    expect(unproven).toEqual([])
    await scenario.settle(call.bye())
  })
})

describe('challenges along the way', () => {
  it('RFC 3261 §22.3: two proxies and a server ask in turn, and are not asked again', async () => {
    const scenario = new Scenario()
    const server = await scenario.stack('server')
    server.use(
      digest.proxyRequired(verifierOf('edge'), lookup),
      digest.proxyRequired(verifierOf('core'), lookup),
      digest.required(verifierOf('example.com'), lookup),
    )
    const seen: number[] = []
    server.method('MESSAGE', (request) => {
      seen.push(request.message.authorizations.length + request.message.proxyAuthorizations.length)
      request.reply(200, { headers: digest.info(request) })
    })
    const phone = await scenario.stack('phone')
    const message = { method: 'MESSAGE', uri: 'sip:10.0.0.1', credentials: alice } as const
    const first = await scenario.settle(phone.request(message))
    expect(first.status).toBe(200)
    expect(first.getAll('Proxy-Authentication-Info')).toHaveLength(2)
    expect(first.getAll('Authentication-Info')).toHaveLength(1)
    const before = scenario.ladder.length
    expect((await scenario.settle(phone.request(message))).status).toBe(200)
    expect(seen).toEqual([3, 3])
    expect(scenario.ladder.slice(before)).toEqual(['phone>server MESSAGE', 'server>phone 200 MESSAGE'])
  })

  it('a challenge without end is given up', async () => {
    const scenario = new Scenario()
    const server = await scenario.stack('server')
    let asked = 0
    server.method('MESSAGE', (request) => {
      asked += 1
      const challenge = `Digest realm="r", nonce="n${asked}", stale=true, qop="auth"`
      request.reply(401, { headers: [['WWW-Authenticate', challenge]] })
    })
    const phone = await scenario.stack('phone')
    const asking = phone.request({ method: 'MESSAGE', uri: 'sip:10.0.0.1', credentials: alice })
    expect((await scenario.settle(asking)).status).toBe(401)
    expect(asked).toBe(5)
  })

  it('a challenge that the account refuses to answer is the answer', async () => {
    const w = await world({ algorithms: ['MD5'] })
    const credentials = { ...alice, weakest: 'SHA-256' } as const
    expect((await w.scenario.settle(w.phone.request({ ...register, credentials }))).status).toBe(401)
    expect(w.seen).toHaveLength(1)
  })
})

describe('a call', () => {
  it('RFC 3261 §22.1: its ACK carries the credentials of the INVITE, later requests count on', async () => {
    const w = await world()
    const sent: string[] = []
    w.scenario.network.observe(({ bytes }) => sent.push(Buffer.from(bytes).toString('latin1')))
    w.server.method('INVITE', async (request) => void (await request.accept({ sdp })))
    const call = await w.scenario.settle(w.phone.invite('sip:bob@10.0.0.1', { sdp, credentials: alice }))
    await w.scenario.settle(call.bye())
    const credentials = (method: string) =>
      sent.filter((text) => text.startsWith(`${method} `)).map((text) => /^Authorization: (.*)\r$/m.exec(text)?.[1])
    const [none, answered] = credentials('INVITE')
    expect(none).toBeUndefined()
    expect(answered).toContain('nc=00000001')
    // The first ACK is of the 401.
    expect(credentials('ACK').at(-1)).toBe(answered)
    expect(credentials('BYE')[0]).toContain('nc=00000002')
    expect(w.refused).toEqual(['absent'])
  })

  it('RFC 3261 §22.1: CANCEL carries no credentials and is not challenged', async () => {
    const w = await world()
    const sent: string[] = []
    w.scenario.network.observe(({ bytes }) => sent.push(Buffer.from(bytes).toString('latin1')))
    w.server.method('INVITE', (request) => request.reply(180))
    const abort = new AbortController()
    const calling = w.phone.invite('sip:bob@10.0.0.1', { sdp, credentials: alice, signal: abort.signal })
    const failing = calling.catch((error: unknown) => error)
    await w.scenario.pass(100)
    abort.abort()
    await w.scenario.settle(failing)
    await w.scenario.pass(40_000)
    const cancel = sent.filter((text) => text.startsWith('CANCEL '))
    expect(cancel).toHaveLength(1)
    expect(cancel[0]).not.toContain('Authorization')
    expect(w.scenario.ladder).toContain('server>phone 200 CANCEL')
    expect(w.scenario.ladder).toContain('server>phone 487 INVITE')
  })
})

describe('a wall clock that is set', () => {
  it.each([
    ['forward by an hour and back', 3_600_000],
    ['back by an hour and forward', -3_600_000],
    ['forward by a minute and back', 60_000],
  ])('RFC 7616 §5.5: %s locks nobody out, and lets nobody log in twice by the same words', async (_, jumpMs) => {
    const w = await world({ nonceLifetimeMs: 120_000 })
    w.server.method('REGISTER', (request) => request.reply(200))
    const used: string[] = []
    const { clock } = w.scenario
    const logIn = async () => {
      // New credentials begin with a new nonce.
      const response = await w.scenario.settle(w.phone.request({ ...register, credentials: { ...alice } }))
      expect(response.status).toBe(200)
      used.push(w.seen.at(-1)?.message.get('Authorization') ?? '')
    }
    const replay = async () => {
      for (const value of used) {
        const headers: [string, string][] = [['Authorization', value]]
        expect((await w.scenario.settle(w.phone.request({ ...register, headers }))).status).toBe(401)
      }
    }
    const live = async () => {
      for (let round = 0; round < 4; round += 1) {
        await logIn()
        await w.scenario.pass(70_000)
        await replay()
      }
    }
    await live()
    clock.setWall(clock.wallMs() + jumpMs)
    await live()
    clock.setWall(clock.wallMs() - jumpMs)
    await live()
    // Until long after the clock has come to where it was before.
    for (let hour = 0; hour < 3; hour += 1) {
      await w.scenario.pass(3_600_000)
      await replay()
      await logIn()
    }
    await w.scenario.pass(3_600_000)
    await logIn()
    expect(w.verifier.noncesRemembered).toBe(1)
  })
})

describe('a challenge to a request without credentials', () => {
  it('RFC 3261 §8.2.7: leaves nothing behind, and a copy of the request gets the same To tag', async () => {
    const w = await world()
    w.server.method('REGISTER', (request) => request.reply(200))
    const first = await w.scenario.settle(w.phone.request(register))
    expect(first.status).toBe(401)
    expect(w.server.stats().transactions).toBe(0)
    const [request] = w.seen
    const again = await w.scenario.settle(
      w.phone.request({ ...register, callId: request?.callId ?? '', cseq: request?.cseq.seq ?? 0 }),
    )
    expect(again.status).toBe(401)
    expect(again.to.tag).not.toBe(first.to.tag)
    expect(first.to.tag).toMatch(/^[0-9a-f]{16}$/)
  })

  it('an INVITE keeps its state, for its ACK', async () => {
    const w = await world()
    const call = w.scenario.settle(w.phone.invite('sip:10.0.0.1', { sdp }).catch((error: unknown) => error))
    expect(await call).toMatchObject({ status: 401 })
    expect(w.server.stats().counters.dropped['stray-ack']).toBe(0)
  })
})
