/**
 * A peer that writes its own bytes, for what no honest phone sends.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

/** What may be otherwise in a {@link request}. */
export interface RequestParts {
  readonly uri?: string
  readonly user?: string
  readonly callId?: string
  readonly cseq?: number
  readonly transport?: string
  /** sent-by of the Via. */
  readonly via?: string
  readonly viaParams?: string
  readonly headers?: readonly string[]
  /** False for none. */
  readonly contact?: string | false
}

/** A request as text, with everything that it needs unless the parts say otherwise. */
export function request(method: string, parts: RequestParts = {}): string {
  const { user = '1001', transport = 'UDP', via = '127.0.0.1:9', viaParams = '', headers = [] } = parts
  const { callId = randomUUID(), cseq = 1, contact = `<sip:${user}@127.0.0.1:9>`, uri = 'sip:1002@127.0.0.1' } = parts
  const sentBy = `SIP/2.0/${transport} ${via};branch=z9hG4bK${randomUUID()}`
  return [
    `${method} ${uri} SIP/2.0`,
    `Via: ${sentBy}${viaParams === '' ? ';rport' : viaParams}`,
    'Max-Forwards: 70',
    `From: <sip:${user}@127.0.0.1>;tag=1`,
    `To: <sip:${method === 'REGISTER' ? user : '1002'}@127.0.0.1>`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} ${method}`,
    ...(contact === false ? [] : [`Contact: ${contact}`]),
    ...headers,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n')
}

/** A UDP socket that speaks SIP as it is told. */
export class RawPhone {
  readonly received: string[] = []

  private constructor(
    private readonly socket: Socket,
    private readonly serverPort: number,
  ) {
    socket.on('message', (bytes) => this.received.push(bytes.toString('latin1')))
  }

  /** Opens one on a free port of a loopback address. */
  static async open(serverPort: number, address = '127.0.0.1'): Promise<RawPhone> {
    const socket = createSocket('udp4')
    socket.bind(0, address)
    await once(socket, 'listening')
    return new RawPhone(socket, serverPort)
  }

  get port(): number {
    return this.socket.address().port
  }

  /** Sends a datagram to the server. */
  send(text: string): void {
    this.socket.send(text, this.serverPort, '127.0.0.1')
  }

  /** Sends a request and gives the first answer with its Call-ID and CSeq, waiting at most two seconds. */
  async ask(text: string): Promise<string> {
    const marks = [/^Call-ID: .*$/m, /^CSeq: .*$/m].map((line) => line.exec(text)?.[0] ?? '')
    this.send(text)
    const signal = AbortSignal.timeout(2_000)
    for (;;) {
      const answer = this.received.find((one) => one.startsWith('SIP/') && marks.every((mark) => one.includes(mark)))
      if (answer !== undefined) return answer
      await once(this.socket, 'message', { signal })
    }
  }

  /** Registers with MD5 digest (RFC 7616); gives the final answer. */
  async register(user: string, password: string, contact: string): Promise<string> {
    const uri = 'sip:127.0.0.1'
    const parts = { user, uri, contact, callId: randomUUID() }
    const challenge = (await this.ask(request('REGISTER', parts))).split('\r\n').find((line) => /MD5/.test(line)) ?? ''
    const of = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? ''
    const md5 = (text: string) => createHash('md5').update(text).digest('hex')
    const [realm, nonce] = [of('realm'), of('nonce')]
    const secrets = [md5(`${user}:${realm}:${password}`), nonce, '00000001', 'c', 'auth', md5(`REGISTER:${uri}`)]
    const response = md5(secrets.join(':'))
    const digest = `Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}"`
    const headers = [`Authorization: ${digest}, algorithm=MD5, qop=auth, nc=00000001, cnonce="c"`]
    return this.ask(request('REGISTER', { ...parts, cseq: 2, headers }))
  }

  /** An answer to the last request of that method. */
  answerTo(method: string, status: string): string {
    const text = this.received.findLast((one) => one.startsWith(`${method} `)) ?? ''
    const copied = text.split('\r\n').filter((line) => /^(Via|From|Call-ID|CSeq):/i.test(line))
    const to = /^To: .*$/m.exec(text)?.[0] ?? ''
    return [`SIP/2.0 ${status}`, ...copied, `${to};tag=x`, 'Content-Length: 0', '', ''].join('\r\n')
  }

  close(): void {
    this.socket.close()
  }
}
