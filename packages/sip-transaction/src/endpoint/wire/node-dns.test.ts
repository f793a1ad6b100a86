import { createSocket, type Socket } from 'node:dgram'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { SipStack } from '../stack'
import { createNodeDnsResolver, resolverFor } from './node-dns'

const types = { A: 1, CNAME: 5, AAAA: 28, SRV: 33, NAPTR: 35 } as const
const rcodes = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const

/** What the server says to a question: records as type and data, a code, or nothing at all. */
type Reply = readonly (readonly [keyof typeof types, Buffer])[] | keyof typeof rcodes | 'silence' | 'garbage'

const wireName = (name: string) =>
  Buffer.concat([
    ...name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0]),
  ])
const u16 = (...values: number[]) => Buffer.from(values.flatMap((value) => [value >> 8, value & 255]))
const string = (text: string) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])
const srv = (priority: number, weight: number, port: number, target: string) =>
  ['SRV', Buffer.concat([u16(priority, weight, port), wireName(target)])] as const
const naptr = (order: number, preference: number, service: string, replacement: string) =>
  [
    'NAPTR',
    Buffer.concat([u16(order, preference), string('s'), string(service), string(''), wireName(replacement)]),
  ] as const

/** A DNS server on loopback that says what a test wants (RFC 1035 §4). */
class TestServer {
  readonly questions: string[] = []
  private constructor(
    private readonly socket: Socket,
    private readonly replies: Readonly<Record<string, Reply>>,
  ) {
    socket.on('message', (query, from) => {
      const answer = this.answer(query)
      if (answer !== undefined) socket.send(answer, from.port, from.address)
    })
  }

  static async start(replies: Readonly<Record<string, Reply>>): Promise<TestServer> {
    const socket = createSocket('udp4')
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    return new TestServer(socket, replies)
  }

  get address(): string {
    return `127.0.0.1:${this.socket.address().port}`
  }

  close(): void {
    this.socket.close()
  }

  private answer(query: Buffer): Buffer | undefined {
    const labels: string[] = []
    let at = 12
    while (query[at]! > 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + query[at]!))
      at += query[at]! + 1
    }
    const type = Object.entries(types).find(([, number]) => number === query.readUInt16BE(at + 1))?.[0] ?? '?'
    const key = `${type} ${labels.join('.').toLowerCase()}`
    this.questions.push(key)
    const reply = this.replies[key] ?? 'NXDOMAIN'
    if (reply === 'silence') return undefined
    if (reply === 'garbage')
      return Buffer.concat([query.subarray(0, 2), Buffer.from([0x81, 0x80, 0, 1, 0, 9, 0, 0, 0, 0])])
    const records = typeof reply === 'string' ? [] : reply
    const code = typeof reply === 'string' ? rcodes[reply] : 0
    const head = Buffer.concat([query.subarray(0, 2), u16(0x8180 | code, 1, records.length, 0, 0)])
    const answers = records.map(([kind, data]) =>
      Buffer.concat([u16(0xc00c, types[kind], 1, 0, 77, data.length), data]),
    )
    return Buffer.concat([head, query.subarray(12, at + 5), ...answers])
  }
}

const open: { close?(): void }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.close?.()
})

async function over(replies: Readonly<Record<string, Reply>>, hostsFile: string | false = false) {
  const server = await TestServer.start(replies)
  const resolver = createNodeDnsResolver({ servers: [server.address], timeoutMs: 100, tries: 1, hostsFile })
  open.push(server, resolver)
  return { server, resolver }
}

describe('createNodeDnsResolver', () => {
  it('reads NAPTR, SRV, A and AAAA records, and times to live where Node tells them', async () => {
    const { resolver } = await over({
      'NAPTR example.test': [naptr(10, 20, 'SIP+D2U', '_sip._udp.example.test')],
      'SRV _sip._udp.example.test': [srv(1, 2, 5070, 'a.example.test')],
      'A a.example.test': [
        ['A', Buffer.from([192, 0, 2, 1])],
        ['A', Buffer.from([192, 0, 2, 2])],
      ],
      'AAAA a.example.test': [['AAAA', Buffer.from('20010db8000000000000000000000001', 'hex')]],
    })
    expect(await resolver.naptr('example.test')).toEqual({
      kind: 'found',
      records: [
        {
          order: 10,
          preference: 20,
          flags: 's',
          service: 'SIP+D2U',
          regexp: '',
          replacement: '_sip._udp.example.test',
        },
      ],
    })
    expect(await resolver.srv('_sip._udp.example.test')).toEqual({
      kind: 'found',
      records: [{ priority: 1, weight: 2, port: 5070, target: 'a.example.test' }],
    })
    const a = await resolver.a('a.example.test')
    expect(a.kind === 'found' && [...a.records].sort()).toEqual(['192.0.2.1', '192.0.2.2'])
    expect(a.kind === 'found' && a.ttlSeconds).toBe(77)
    expect(await resolver.aaaa('a.example.test')).toEqual({ kind: 'found', records: ['2001:db8::1'], ttlSeconds: 77 })
  })

  it('tells what is not there from what failed and from what never came', async () => {
    const { resolver } = await over({
      'SRV empty.test': [],
      'SRV broken.test': 'SERVFAIL',
      'SRV refused.test': 'REFUSED',
    })
    const kinds: string[] = []
    for (const name of ['gone', 'empty', 'broken', 'refused']) kinds.push((await resolver.srv(`${name}.test`)).kind)
    expect(kinds).toEqual(['not-found', 'not-found', 'failed', 'failed'])
    expect((await resolver.a(`${'x'.repeat(70)}.test`)).kind).toBe('not-found')
    const silent = await over({ 'SRV silent.test': 'silence', 'A silent.test': 'silence' })
    expect((await silent.resolver.srv('silent.test')).kind).toBe('timeout')
    expect((await silent.resolver.a('silent.test')).kind).toBe('timeout')
    const garbage = await over({ 'SRV garbage.test': 'garbage' })
    expect(['failed', 'timeout']).toContain((await garbage.resolver.srv('garbage.test')).kind)
  })

  it('gives a question up when its signal aborts, and every one when it is closed', async () => {
    const { resolver } = await over({ 'SRV silent.test': 'silence' })
    const abort = new AbortController()
    const asking = resolver.srv('silent.test', abort.signal)
    abort.abort()
    expect((await asking).kind).toBe('timeout')
    expect((await resolver.srv('silent.test', abort.signal)).kind).toBe('timeout')
    const other = resolver.srv('silent.test')
    resolver.close?.()
    expect((await other).kind).toBe('failed')
  })

  it('RFC 6761 §6.3: localhost is this machine, and the hosts file comes before the servers', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hosts-'))
    try {
      const path = join(folder, 'hosts')
      writeFileSync(path, '# names\n192.0.2.9 Office.test office # ours\n2001:db8::9\toffice.test\nnonsense x.test\n')
      const { server, resolver } = await over({}, path)
      expect(await resolver.a('localhost')).toEqual({ kind: 'found', records: ['127.0.0.1'], ttlSeconds: 5 })
      expect(await resolver.aaaa('phone.localhost')).toEqual({ kind: 'found', records: ['::1'], ttlSeconds: 5 })
      expect(await resolver.a('office.test')).toEqual({ kind: 'found', records: ['192.0.2.9'], ttlSeconds: 5 })
      expect((await resolver.aaaa('office')).kind).toBe('not-found')
      expect(server.questions).toEqual([])
      expect((await resolver.a('x.test')).kind).toBe('not-found')
      expect(server.questions).toEqual(['A x.test'])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('refuses servers that are no addresses', () => {
    expect(() => createNodeDnsResolver({ servers: ['dns.example.com'] })).toThrow(
      expect.objectContaining({ code: 'DNS_SERVER_INVALID' }),
    )
  })
})

describe('resolverFor', () => {
  it('leaves a resolver of the user for the user to close', async () => {
    let closed = 0
    const none = async () => ({ kind: 'not-found' as const })
    const own = { naptr: none, srv: none, a: none, aaaa: none, close: () => closed++ }
    const resolver = resolverFor({ resolver: own })
    resolver.close?.()
    expect(closed).toBe(0)
    expect((await resolver.a('x.test')).kind).toBe('not-found')
  })
})

describe('a stack on real sockets', () => {
  it('RFC 3263: goes by NAPTR and SRV of a real name server, and past a port where nobody listens', async () => {
    const bob = await SipStack.create({ listen: ['tcp://127.0.0.1:0'] })
    const dead = await SipStack.create({ listen: ['tcp://127.0.0.1:0'] })
    const deadPort = dead.listeners[0]!.port
    await dead.close()
    const server = await TestServer.start({
      'NAPTR example.test': [naptr(1, 1, 'SIP+D2T', '_sip._tcp.example.test')],
      'SRV _sip._tcp.example.test': [
        srv(1, 0, deadPort, 'one.example.test'),
        srv(2, 0, bob.listeners[0]!.port, 'two.example.test'),
      ],
      'A one.example.test': [['A', Buffer.from([127, 0, 0, 1])]],
      'A two.example.test': [['A', Buffer.from([127, 0, 0, 1])]],
    })
    const alice = await SipStack.create({
      listen: ['udp://127.0.0.1:0', 'tcp://127.0.0.1:0'],
      dns: { servers: [server.address], hostsFile: false },
    })
    try {
      const answer = await alice.request({ method: 'OPTIONS', uri: 'sip:example.test' })
      expect(answer.status).toBe(200)
      expect(answer.via.transport).toBe('TCP')
      expect(server.questions.sort()).toEqual([
        'A one.example.test',
        'A two.example.test',
        'NAPTR example.test',
        'SRV _sip._tcp.example.test',
      ])
    } finally {
      server.close()
      await alice.close({ graceMs: 0 })
      await bob.close({ graceMs: 0 })
    }
  })
})
