/** SIP over WebSocket (RFC 7118): a stack as server for a script with Node's own WebSocket, and as client and server. */
import { SipStack, type SipStackOptions } from '@carillon/sip-transaction'
import { afterEach, describe, expect, it } from 'vitest'
import { TestAuthority } from '../support/certificates'

const stacks: SipStack[] = []
const phones: Phone[] = []
const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

afterEach(async () => {
  for (const phone of phones.splice(0)) phone.close()
  await Promise.all(stacks.splice(0).map((stack) => stack.close({ graceMs: 0 })))
})

async function stackOn(listen: readonly string[], more: Partial<SipStackOptions> = {}): Promise<SipStack> {
  const stack = await SipStack.create({ listen, ...more })
  stacks.push(stack)
  return stack
}

const portOf = (stack: SipStack) => stack.listeners[0]?.port ?? 0

/** A script in a browser: a WebSocket of Node's, no port of its own, a name that means nothing (RFC 7118 §5). */
class Phone {
  readonly received: string[] = []
  readonly host = 'df7jal23ls0d.invalid'
  private branch = 0

  private constructor(private readonly socket: WebSocket) {
    socket.binaryType = 'arraybuffer'
    socket.addEventListener('message', ({ data }) => {
      this.received.push(typeof data === 'string' ? data : Buffer.from(data as ArrayBuffer).toString('latin1'))
    })
  }

  static async open(port: number, path = '/', protocol = 'sip'): Promise<Phone> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocol)
    const phone = new Phone(socket)
    phones.push(phone)
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve)
      socket.addEventListener('error', () => reject(new Error('the handshake failed')))
    })
    return phone
  }

  get protocol(): string {
    return this.socket.protocol
  }

  get contact(): string {
    return `<sip:alice@${this.host};transport=ws>`
  }

  send(text: string | Uint8Array<ArrayBuffer>): void {
    this.socket.send(text)
  }

  /** A request without Content-Length, as RFC 7118 §4.2 allows. */
  request(method: string, headers: readonly string[] = []): string {
    this.branch += 1
    return [
      `${method} sip:example.com SIP/2.0`,
      `Via: SIP/2.0/WS ${this.host};branch=z9hG4bK${method}${this.branch}`,
      'Max-Forwards: 70',
      'To: <sip:alice@example.com>',
      'From: <sip:alice@example.com>;tag=asdyka899',
      `Call-ID: call-${this.branch}`,
      `CSeq: 1 ${method}`,
      `Contact: ${this.contact}`,
      ...headers,
      '\r\n',
    ].join('\r\n')
  }

  /** The answer to what came, from the headers that answers copy. */
  answer(request: string, status: string, more: readonly string[] = [], body = ''): string {
    const copied = request.split('\r\n').filter((line) => /^(Via|From|Call-ID|CSeq|Record-Route):/.test(line))
    const to = `${/^To:.*$/m.exec(request)?.[0] ?? ''}`.trim()
    const tagged = to.includes(';tag=') ? to : `${to};tag=phone`
    return [`SIP/2.0 ${status}`, ...copied, tagged, ...more, `Content-Length: ${body.length}`, '', body].join('\r\n')
  }

  async next(start: string): Promise<string> {
    await expect.poll(() => this.received.find((text) => text.startsWith(start)), { timeout: 5_000 }).toBeDefined()
    return this.received.find((text) => text.startsWith(start)) ?? ''
  }

  close(): void {
    this.socket.close()
  }
}

describe('a stack that browsers connect to', () => {
  it('answers on the connection, whatever name the Via has, and keeps the Via as RFC 7118 §5 wants', async () => {
    const server = await stackOn(['ws://127.0.0.1:0'])
    const phone = await Phone.open(portOf(server))
    expect(phone.protocol).toBe('sip')
    phone.send(phone.request('OPTIONS'))
    const answer = await phone.next('SIP/2.0 200')
    expect(answer).toMatch(/^Via: SIP\/2\.0\/WS df7jal23ls0d\.invalid;branch=z9hG4bKOPTIONS1;received=127\.0\.0\.1/m)
  })

  it('takes text and binary messages, and answers line ends with line ends', async () => {
    const server = await stackOn(['ws://127.0.0.1:0'])
    const phone = await Phone.open(portOf(server))
    phone.send(new Uint8Array(Buffer.from(phone.request('OPTIONS'))))
    await phone.next('SIP/2.0 200')
    phone.send('\r\n\r\n')
    await phone.next('\r\n')
    expect(server.stats().counters.dropped.garbage).toBe(0)
  })

  it('reaches a contact of no name by its flow: MESSAGE, a call, and BYE within it', async () => {
    const server = await stackOn(['ws://127.0.0.1:0'])
    let flowId = 0
    let contact = ''
    server.method('REGISTER', (request) => {
      flowId = request.source.flowId
      contact = request.message.contacts[0]?.uri.toString() ?? ''
      request.reply(200)
    })
    const phone = await Phone.open(portOf(server))
    phone.send(phone.request('REGISTER', ['Expires: 600']))
    await phone.next('SIP/2.0 200')
    expect(contact).toBe(`sip:alice@${phone.host};transport=ws`)

    const destination = { flowId }
    const asking = server.request({
      method: 'MESSAGE',
      uri: contact,
      body: 'hello',
      contentType: 'text/plain',
      destination,
    })
    const message = await phone.next('MESSAGE ')
    expect(message).toMatch(/^Via: SIP\/2\.0\/WS 127\.0\.0\.1:\d+;/m)
    phone.send(phone.answer(message, '202 Accepted'))
    expect((await asking).status).toBe(202)

    const calling = server.invite(contact, { sdp, destination })
    const invite = await phone.next('INVITE ')
    const headers = [`Contact: ${phone.contact}`, 'Content-Type: application/sdp']
    phone.send(phone.answer(invite, '200 OK', headers, sdp))
    const call = await calling
    await phone.next('ACK ')
    const ending = call.bye()
    const bye = await phone.next('BYE ')
    expect(bye).toMatch(new RegExp(`^BYE sip:alice@${phone.host};transport=ws `))
    phone.send(phone.answer(bye, '200 OK'))
    await ending
  })

  it('a call from a browser is ended from here by its flow, for its Contact leads nowhere', async () => {
    const server = await stackOn(['ws://127.0.0.1:0'])
    const called = new Promise<void>((resolve, reject) => {
      server.method('INVITE', async (request) => {
        try {
          const call = await request.accept({ sdp })
          await call.bye()
          resolve()
        } catch (error) {
          reject(error)
        }
      })
    })
    const phone = await Phone.open(portOf(server))
    const invite = phone.request('INVITE', ['Content-Type: application/sdp']) + sdp
    phone.send(invite)
    const answer = await phone.next('SIP/2.0 200')
    const to = /^To:.*$/m.exec(answer)?.[0].trim() ?? ''
    phone.send(
      phone
        .request('ACK')
        .replace(/^To:.*$/m, to)
        .replace('call-2', 'call-1'),
    )
    const bye = await phone.next('BYE ')
    phone.send(phone.answer(bye, '200 OK'))
    await called
  })

  it('a phone that closes is told of with its flow, and what was bound to it can be forgotten', async () => {
    const server = await stackOn(['ws://127.0.0.1:0'])
    const phone = await Phone.open(portOf(server))
    const closed = new Promise((resolve) => server.on('connectionClosed', resolve))
    phone.send(phone.request('OPTIONS'))
    await phone.next('SIP/2.0 200')
    phone.close()
    expect(await closed).toMatchObject({ transport: 'WS', reason: 'closed by peer' })
    expect(server.stats().connections).toBe(0)
  })

  it('refuses other subprotocols and other paths', async () => {
    const server = await stackOn(['ws://127.0.0.1:0'], { websocket: { path: '/sip' } })
    await expect(Phone.open(portOf(server), '/sip', 'xmpp')).rejects.toThrow()
    await expect(Phone.open(portOf(server), '/other')).rejects.toThrow()
    expect((await Phone.open(portOf(server), '/sip?token=1')).protocol).toBe('sip')
    expect(server.stats().counters.dropped['refused-connection']).toBe(2)
  })
})

describe('stacks among themselves', () => {
  it('WebSocket: a request out, and one back on the connection', async () => {
    const server = await stackOn(['ws://127.0.0.1:0'], { websocket: { path: '/sip' } })
    const client = await stackOn(['ws://127.0.0.1:0'], { websocket: { path: '/sip' } })
    let flowId = 0
    server.use((request, next) => {
      flowId = request.source.flowId
      return next()
    })
    const uri = `sip:127.0.0.1:${portOf(server)};transport=ws`
    const response = await client.request({ method: 'OPTIONS', uri })
    expect([response.status, response.via.transport]).toEqual([200, 'WS'])
    const back = await server.request({
      method: 'OPTIONS',
      uri: 'sip:nobody@x.invalid;transport=ws',
      destination: { flowId },
    })
    expect(back.status).toBe(200)
    expect([server.stats().connections, client.stats().connections]).toEqual([1, 1])
  })

  it('secure WebSocket: the rules of HTTPS for the name, and WSS in Via', async () => {
    const authority = await TestAuthority.create()
    const own = await authority.issue({ dns: ['*.example.com'], addresses: ['127.0.0.1'] })
    const server = await stackOn(['wss://127.0.0.1:0'], { tls: own })
    const client = await stackOn(['wss://127.0.0.1:0'], { tls: { ca: authority.cert } })
    const response = await client.request({ method: 'OPTIONS', uri: `sips:127.0.0.1:${portOf(server)};transport=ws` })
    expect([response.status, response.via.transport]).toEqual([200, 'WSS'])
    const stranger = await stackOn(['wss://127.0.0.1:0'], { tls: {} })
    await expect(
      stranger.request({ method: 'OPTIONS', uri: `sips:127.0.0.1:${portOf(server)};transport=ws` }),
    ).rejects.toMatchObject({ code: 'TRANSPORT_FAILED' })
  })

  it('a call over WebSocket, with messages larger than one read', async () => {
    const server = await stackOn(['ws://127.0.0.1:0'])
    const large = `${sdp}${'a=x:yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n'.repeat(900)}`
    server.method('INVITE', async (request) => void (await request.accept({ sdp: large })))
    const client = await stackOn(['ws://127.0.0.1:0'])
    const call = await client.invite(`sip:bob@127.0.0.1:${portOf(server)};transport=ws`, { sdp: large })
    expect(Buffer.from(call.remoteSdp ?? []).toString()).toBe(large)
    await call.bye()
    expect((await call.ended).by).toBe('local')
  })
})
