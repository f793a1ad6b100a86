/** SIP over TLS between stacks: identities, names, several certificates, reload, reuse (RFC 3261 §26.3, 5922, 5923). */
import { connect, type TLSSocket } from 'node:tls'
import {
  type DnsAnswer,
  type DnsResolver,
  type IncomingRequest,
  type RequestSource,
  SipStack,
  type SipStackOptions,
  type TlsOptions,
} from '@carillon/sip-transaction'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { TestAuthority, type TestCertificate } from '../support/certificates'

let authority: TestAuthority
let stranger: TestAuthority
let example: TestCertificate
let other: TestCertificate
let client: TestCertificate
const stacks: SipStack[] = []
const sockets: TLSSocket[] = []

beforeAll(async () => {
  authority = await TestAuthority.create()
  stranger = await TestAuthority.create('Stranger')
  example = await authority.issue({ dns: ['example.com'], addresses: ['127.0.0.1'] })
  other = await authority.issue({ uris: ['sip:other.example'], dns: ['decoy.example'] })
  client = await authority.issue({ uris: ['sip:client.example'] })
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(stacks.splice(0).map((stack) => stack.close({ graceMs: 0 })))
})

/** Every name is this machine; what the DNS says must not count for identity. */
const absent = async (): Promise<DnsAnswer<never>> => ({ kind: 'not-found' })
const everybodyIsHere: DnsResolver = {
  naptr: absent,
  srv: absent,
  a: async () => ({ kind: 'found', records: ['127.0.0.1'] }),
  aaaa: absent,
}

async function stackWith(tls: TlsOptions, more: Partial<SipStackOptions> = {}): Promise<SipStack> {
  const options = { listen: ['tls://127.0.0.1:0'], dns: { resolver: everybodyIsHere }, ...more }
  const stack = await SipStack.create({ ...options, tls: { ca: authority.cert, ...tls } })
  stacks.push(stack)
  return stack
}

const portOf = (stack: SipStack) => stack.listeners[0]?.port ?? 0
const options = (stack: SipStack, uri: string) => stack.request({ method: 'OPTIONS', uri })

/** A bare TLS client, to see what a server shows. */
async function connected(stack: SipStack, servername: string): Promise<TLSSocket> {
  const socket = connect({ port: portOf(stack), host: '127.0.0.1', servername, rejectUnauthorized: false })
  sockets.push(socket)
  socket.on('error', () => {})
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('close', reject))
  return socket
}

const shownName = (socket: TLSSocket) => socket.getPeerX509Certificate()?.subjectAltName

describe('names of servers (RFC 5922 §7)', () => {
  it('a server that proves the domain of the URI is talked to, whatever its address', async () => {
    const server = await stackWith(example)
    const phone = await stackWith({})
    const response = await options(phone, `sips:example.com:${portOf(server)}`)
    expect(response.status).toBe(200)
    expect(response.via.transport).toBe('TLS')
    expect((await options(phone, `sip:EXAMPLE.com:${portOf(server)};transport=tls`)).status).toBe(200)
  })

  it('a server that is named by its address proves that', async () => {
    const server = await stackWith(example)
    const phone = await stackWith({})
    expect((await options(phone, `sips:127.0.0.1:${portOf(server)}`)).status).toBe(200)
    const nameless = await stackWith(other)
    await expect(options(phone, `sips:127.0.0.1:${portOf(nameless)}`)).rejects.toMatchObject({
      code: 'TRANSPORT_FAILED',
    })
  })

  it.each([
    ['another domain', 'sips:another.example'],
    ['a subdomain', 'sips:sub.example.com'],
    ['the parent', 'sips:com'],
  ])('nothing is sent to a server whose certificate is for %s', async (_what, uri) => {
    const server = await stackWith(example)
    const phone = await stackWith({})
    const received: string[] = []
    server.on('messageIn', ({ startLine }) => received.push(startLine))
    await expect(options(phone, `${uri}:${portOf(server)}`)).rejects.toMatchObject({ code: 'TRANSPORT_FAILED' })
    expect(received).toEqual([])
  })

  it('RFC 5922 §7.1: where there is a SIP URI, DNS names do not count; §7.2: a wildcard stands for nobody', async () => {
    const phone = await stackWith({})
    const server = await stackWith(other)
    expect((await options(phone, `sips:other.example:${portOf(server)}`)).status).toBe(200)
    await expect(options(phone, `sips:decoy.example:${portOf(server)}`)).rejects.toThrow()
    const wild = await stackWith(await authority.issue({ dns: ['*.example.com'] }))
    await expect(options(phone, `sips:pbx.example.com:${portOf(wild)}`)).rejects.toThrow()
  })

  it('certificates of strangers and expired ones are refused, unless the user wants any', async () => {
    const phone = await stackWith({})
    const strange = await stackWith(await stranger.issue({ dns: ['example.com'] }))
    const old = await stackWith(await authority.issue({ dns: ['example.com'], endsInMs: -60_000 }))
    for (const server of [strange, old]) {
      const uri = `sips:example.com:${portOf(server)}`
      await expect(options(phone, uri)).rejects.toMatchObject({ code: 'TRANSPORT_FAILED' })
      expect((await options(await stackWith({ trustAnyServer: true }), uri)).status).toBe(200)
    }
  })

  it('one address that stands for two domains gets a connection for each, and each is used again', async () => {
    const server = await stackWith({ ...example, certificates: [other] })
    const phone = await stackWith({})
    for (let round = 0; round < 3; round++) {
      expect((await options(phone, `sips:example.com:${portOf(server)}`)).status).toBe(200)
      expect((await options(phone, `sips:other.example:${portOf(server)}`)).status).toBe(200)
    }
    expect(phone.stats().connections).toBe(2)
  })
})

describe('several certificates (RFC 6066 §3)', () => {
  it('a client gets the certificate of the name that it asks for, and the first when there is none', async () => {
    const third = await authority.issue({ dns: ['third.example'] })
    const certificates = [other, { ...third, serverNames: ['alias.example'] }]
    const server = await stackWith({ ...example, certificates })
    expect(shownName(await connected(server, 'OTHER.example'))).toContain('sip:other.example')
    expect(shownName(await connected(server, 'alias.example'))).toContain('third.example')
    expect(shownName(await connected(server, 'third.example'))).toContain('DNS:example.com')
    expect(shownName(await connected(server, 'nobody.example'))).toContain('DNS:example.com')
  })
})

describe('reloading certificates', () => {
  it('new connections get the new certificate, and those that are up go on', async () => {
    const server = await stackWith({ ...example, certificates: [other] })
    const phone = await stackWith({})
    const closed: string[] = []
    phone.on('connectionClosed', ({ reason }) => closed.push(reason))
    await options(phone, `sips:example.com:${portOf(server)}`)
    const renewed = await authority.issue({ dns: ['example.com', 'renewed.example'] })
    const added = await authority.issue({ dns: ['added.example'] })
    server.reloadTls({ ca: authority.cert, ...renewed, certificates: [added] })
    expect(shownName(await connected(server, 'example.com'))).toContain('renewed.example')
    expect(shownName(await connected(server, 'added.example'))).toContain('added.example')
    expect(shownName(await connected(server, 'other.example'))).toContain('renewed.example')
    expect((await options(phone, `sips:example.com:${portOf(server)}`)).status).toBe(200)
    expect([closed, phone.stats().connections]).toEqual([[], 1])
  })

  it('options that do not hold together change nothing', async () => {
    const server = await stackWith(example)
    for (const broken of [
      { ...example, cert: 'nonsense' },
      { cert: example.cert, key: other.key },
      { cert: example.cert },
      { ...example, certificates: [{ cert: other.cert, key: example.key }] },
      { ...example, ca: 'nonsense' },
    ]) {
      expect(() => server.reloadTls(broken)).toThrow(expect.objectContaining({ code: 'TLS_INVALID' }))
    }
    expect(shownName(await connected(server, 'example.com'))).toContain('DNS:example.com')
  })

  it('an error about a key does not show the key', async () => {
    const server = await stackWith(example)
    const key = example.key.replace(/A/g, 'B')
    try {
      server.reloadTls({ cert: example.cert, key })
      throw new Error('it was taken')
    } catch (error) {
      const text = `${String(error)} ${JSON.stringify(error)} ${(error as Error).stack}`
      for (const line of key.split('\n').slice(1, -2)) expect(text).not.toContain(line)
      expect(error).toMatchObject({ code: 'TLS_INVALID' })
    }
  })

  it('a tls listener without the option, and a reload without it, say so', async () => {
    await expect(SipStack.create({ listen: ['tls://127.0.0.1:0'] })).rejects.toMatchObject({ code: 'TLS_MISSING' })
    const plain = await SipStack.create({ listen: ['tcp://127.0.0.1:0'] })
    stacks.push(plain)
    expect(() => plain.reloadTls(example)).toThrow(expect.objectContaining({ code: 'TLS_MISSING' }))
  })
})

describe('certificates of clients (RFC 5922 §7.4)', () => {
  /** What a handler sees of who sent a request. */
  async function sourceSeenBy(server: SipStack, phone: SipStack): Promise<RequestSource> {
    const seen = new Promise<IncomingRequest>((resolve) => server.use((request) => resolve(request)))
    const asking = options(phone, `sips:example.com:${portOf(server)}`)
    const request = await Promise.race([seen, asking.then(() => seen)])
    request.reply(200)
    await asking
    return request.source
  }

  it('the domains that a client has proved are known of its flow', async () => {
    const server = await stackWith({ ...example, clientCertificate: 'requested' })
    const source = await sourceSeenBy(server, await stackWith(client))
    expect(source).toMatchObject({ isSecure: true, peerIdentities: ['client.example'] })
  })

  it('requested: who has none, or one of a stranger, is served as unknown', async () => {
    for (const phone of [await stackWith({}), await stackWith(await stranger.issue({ dns: ['client.example'] }))]) {
      const server = await stackWith({ ...example, clientCertificate: 'requested' })
      expect((await sourceSeenBy(server, phone)).peerIdentities).toEqual([])
    }
  })

  it('required: they are refused, counted, and nothing of theirs is read', async () => {
    const server = await stackWith({ ...example, clientCertificate: 'required' })
    const received: string[] = []
    server.on('messageIn', ({ startLine }) => received.push(startLine))
    for (const phone of [await stackWith({}), await stackWith(await stranger.issue({ dns: ['client.example'] }))]) {
      await expect(options(phone, `sips:example.com:${portOf(server)}`)).rejects.toMatchObject({
        code: 'TRANSPORT_FAILED',
      })
    }
    expect(received).toEqual([])
    expect(server.stats().counters.dropped['refused-connection']).toBe(2)
    expect((await options(await stackWith(client), `sips:example.com:${portOf(server)}`)).status).toBe(200)
  })
})

describe('reuse of connections by proved identity (RFC 5923)', () => {
  it('requests to a domain go by the connection that it opened and offered', async () => {
    const server = await stackWith({ ...example, clientCertificate: 'requested' })
    const peer = await stackWith(client)
    await options(peer, `sips:example.com:${portOf(server)}`)
    expect((await options(server, `sips:client.example:${portOf(peer)}`)).status).toBe(200)
    expect([server.stats().connections, peer.stats().connections]).toEqual([1, 1])
  })

  it('an offer without a proved identity is no offer, nor is one for another domain', async () => {
    const nameless = await stackWith(other)
    const server = await stackWith({ ...example, clientCertificate: 'none' })
    await options(nameless, `sips:example.com:${portOf(server)}`)
    expect((await options(server, `sips:other.example:${portOf(nameless)}`)).status).toBe(200)
    expect(server.stats().connections).toBe(2)

    const strict = await stackWith({ ...example, clientCertificate: 'requested' })
    const thief = await stackWith(client)
    await options(thief, `sips:example.com:${portOf(strict)}`)
    // The connection is there, but what is meant for somebody else does not go by it.
    await expect(options(strict, `sips:bank.example:${portOf(thief)}`)).rejects.toMatchObject({
      code: 'TRANSPORT_FAILED',
    })
  })

  it('without the alias parameter a connection stays one-way', async () => {
    const server = await stackWith({ ...example, clientCertificate: 'requested' })
    const peer = await stackWith(client)
    const bare = connect({
      port: portOf(server),
      host: '127.0.0.1',
      servername: 'example.com',
      ca: authority.cert,
      ...client,
    })
    sockets.push(bare)
    const answered = new Promise((resolve) => bare.once('data', resolve))
    bare.write(
      [
        'OPTIONS sips:example.com SIP/2.0',
        `Via: SIP/2.0/TLS 127.0.0.1:${portOf(peer)};branch=z9hG4bKbare;rport`,
        'Max-Forwards: 70',
        'To: <sips:example.com>',
        'From: <sips:client.example>;tag=1',
        'Call-ID: bare',
        'CSeq: 1 OPTIONS',
        'Content-Length: 0\r\n\r\n',
      ].join('\r\n'),
    )
    await answered
    expect((await options(server, `sips:client.example:${portOf(peer)}`)).status).toBe(200)
    expect(server.stats().connections).toBe(2)
  })
})

describe('events and addresses', () => {
  it('connectionClosed names the flow, its transport and why', async () => {
    const server = await stackWith(example)
    const phone = await stackWith({})
    const flows: number[] = []
    server.use((request, next) => {
      flows.push(request.source.flowId)
      return next()
    })
    const closed = new Promise((resolve) => server.on('connectionClosed', resolve))
    await options(phone, `sips:example.com:${portOf(server)}`)
    await phone.close({ graceMs: 0 })
    expect(await closed).toMatchObject({
      flowId: flows[0],
      transport: 'TLS',
      remote: { address: '127.0.0.1', transport: 'TLS' },
      local: { port: portOf(server) },
      reason: 'closed by peer',
    })
  })

  it('RFC 3261 §8.1.1.8, RFC 5630: sips is answered with a sips Contact', async () => {
    const server = await stackWith(example)
    server.method('INVITE', async (request) => void (await request.accept({ sdp: 'v=0\r\n' }).catch(() => {})))
    const contacts: string[] = []
    const phone = await stackWith({})
    phone.on('messageIn', ({ message }) => contacts.push(...(message?.getAll('Contact') ?? [])))
    const call = await phone.invite(`sips:bob@example.com:${portOf(server)}`, { sdp: 'v=0\r\n' })
    await call.bye()
    expect(contacts[0]).toMatch(/^<sips:/)
  })

  it('each listener may show an address of its own', async () => {
    const listen = ['tls://127.0.0.1:0', { uri: 'tcp://127.0.0.1:0', advertise: 'inside.example:7070' }]
    const stack = await stackWith(example, { listen, advertise: 'outside.example' })
    const [tls, tcp] = stack.listeners
    expect(tls?.uri.toString()).toBe(`sip:outside.example:${tls?.port};transport=tls`)
    expect(tcp?.uri.toString()).toBe('sip:inside.example:7070;transport=tcp')
    const vias: string[] = []
    stack.on('messageOut', ({ bytes }) => vias.push(/Via: (\S+ \S+?);/.exec(Buffer.from(bytes).toString())?.[1] ?? ''))
    const server = await SipStack.create({ listen: ['tcp://127.0.0.1:0'] })
    stacks.push(server)
    await options(stack, `sip:127.0.0.1:${portOf(server)};transport=tcp`)
    expect(vias).toEqual(['SIP/2.0/TCP inside.example:7070'])
  })
})
